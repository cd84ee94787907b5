#include "engine.h"

#include <unistd.h>

#include <optional>

#include "ca_settings.h"
#include "cas.h"
#include "certwright/actions/tasks.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/challenge/http01_responder.h"
#include "certwright/config/ca_limits.h"
#include "certwright/events/feed.h"
#include "certwright/events/handlers.h"
#include "certwright/http/client.h"
#include "certwright/issue/chores.h"
#include "certwright/issue/housekeeping.h"
#include "certwright/issue/jobs.h"
#include "certwright/issue/revoke.h"
#include "certwright/issue/routes.h"
#include "certwright/renewal/scheduler.h"
#include "certwright/store/certificates.h"
#include "certwright/store/renewals.h"
#include "certwright/traefik/publisher.h"
#include "examination.h"
#include "exports.h"
#include "outlook.h"
#include "served.h"
#include "traefik_subscriber.h"
#include "webhooks.h"

namespace certwright::app {

namespace {

constexpr std::size_t kIssuanceWorkers = 32;

std::string HostName() {
  char name[256] = {};
  if (gethostname(name, sizeof(name) - 1) != 0) return "";
  return name;
}

http::ClientOptions TraefikTransport() {
  http::ClientOptions options;
  options.user_agent = Cat("certwright/", kVersion);
  options.allow_http_loopback = true;
  options.exchange_timeout = Millis(5'000);
  return options;
}

traefik::TraefikOptions TraefikOptionsOf(const config::Config& config) {
  traefik::TraefikOptions options;
  options.dynamic_dir = config.traefik.dynamic_dir;
  options.certificate_dir = config.traefik.certificate_dir;
  options.group = config.traefik.group;
  options.api = config.traefik.api;
  options.https_address = config.traefik.https_address;
  options.http_entrypoint = config.traefik.http_entrypoint;
  options.https_entrypoint = config.traefik.https_entrypoint;
  options.challenge_url = Cat("http://", config.http01_listen);
  return options;
}

events::HandlerOptions HandlersOf(const config::Config& config) {
  events::HandlerOptions options;
  options.dir = config.events_dir;
  options.node = {config.node_id, config.module_id};
  options.timeout = std::chrono::seconds(config.events_timeout);
  return options;
}

renewal::Limits LimitsOf(const config::Config& config) {
  return {static_cast<std::size_t>(config.renewal.side_by_side),
          std::chrono::seconds(config.renewal.check), config.renewal.interval};
}

model::CertificatePolicy PolicyOf(const config::Config& config) {
  return {config.certificate.key_type, config.certificate.reuse_key, config.acme.profile,
          config.acme.preferred_chain};
}

// Who a CAA record has to name.
probe::CaaIssuer IssuerOf(const issue::Authority& authority, std::stop_token stop) {
  const auto account = authority.accounts.Find();
  return {authority.client.GetDirectory(stop).caa_identities, account ? account->url : ""};
}

}  // namespace

// In the order in which one stands on the other; taken down from the end.
struct Engine::Impl {
  Impl(const config::Config& config, Mode mode, std::shared_ptr<store::Database> store)
      : mode(mode),
        clock(SystemClock()),
        database(std::move(store)),
        ledger(config::LoadCaLimits(config.ledger_limits)),
        cas(config, *database, clock, ledger),
        authorities(cas.authorities()),
        traefik_transport(TraefikTransport()),
        responder({http::ParseEndpoint(config.http01_listen)}, clock),
        outlook(config, responder,
                [this](std::stop_token stop) { return IssuerOf(authorities.Primary(), stop); }),
        exports(config, *database, clock),
        feed(*database, clock, {config.events_keep_count, config.events_keep_for}),
        obtainer(*database, authorities, responder, feed, clock,
                 {config.fuse.orders_per_name_set, config.fuse.window}, PolicyOf(config),
                 renewal::MakeNextTry(clock, SystemRandom()),
                 [this](const std::vector<model::Identifier>& names,
                        const std::vector<std::string>& identities, const std::string& account,
                        std::stop_token stop) {
                   return outlook.CaaForbids(names, {identities, account}, stop);
                 },
                 ledger) {
    issue::EnsureSelfSigned(*database, clock, HostName());
    if (!config.traefik.dynamic_dir.empty()) {
      publisher.emplace(TraefikOptionsOf(config), *database, traefik_transport, clock);
      feed.Subscribe(std::make_unique<TraefikSubscriber>(*publisher, clock), true);
    }
    exports.Subscribe(feed);
    watch = MakeWatch(config, publisher ? &*publisher : nullptr, *database, feed, clock);
    feed.Subscribe(MakeWatchSubscriber(*watch));
    for (auto& hook : MakeWebhooks(config, clock)) feed.Subscribe(std::move(hook));
    feed.Discover([options = HandlersOf(config)] { return events::FindHandlers(options); });
    // The scheduler's come on top: where a CA hangs, they do not take those of who waits.
    jobs.emplace(obtainer, clock,
                 kIssuanceWorkers + cas.size() * LimitsOf(config).side_by_side);
    scheduler.emplace(*database, obtainer, *jobs, feed, clock, SystemRandom(), LimitsOf(config),
                      [this](const std::vector<model::Identifier>& names, std::stop_token stop) {
                        return outlook.Look(names, stop);
                      });
    if (mode == Mode::kDaemon) {
      tasks.emplace(*database, clock, SystemRandom(),
                    [this](const actions::Call& call, const model::ProgressSink& progress,
                           std::stop_token stop) { return runner->Run(call, progress, stop); });
    }
    runner.emplace(actions::Context{*database, obtainer, *jobs, authorities, *scheduler, revoker,
                                    chores, feed,
                                    publisher ? &*publisher : nullptr, clock,
                                    [this](std::int64_t seq, Millis timeout, std::stop_token stop) {
                                      return Deliver(seq, timeout, stop);
                                    },
                                    config.node_id, mode == Mode::kDaemon,
                                    [this] { return cas.Server(); },
                                    [this](const store::AcmeServer& server) {
                                      cas.UseServer(server);
                                    },
                                    {config.upload.verify, config.upload.roots},
                                    tasks ? &*tasks : nullptr, config.module_id,
                                    kVersion, &exports.keepers(), watch.get(),
                                    [this, config, options = TraefikOptionsOf(config)](
                                        const std::vector<model::Identifier>& names,
                                        std::stop_token stop) {
                                      return Examine({config, authorities, options,
                                                      traefik_transport, outlook},
                                                     names, stop);
                                    }});
    if (mode == Mode::kDaemon) Serve(config);
  }

  void Serve(const config::Config& config) {
    CheckCaFiles(config);  // a daemon asks the CA sooner or later: better told at its start
    responder.Listen();
    feed.Start();
    exports.Start();
    watch->Start();
    // What an earlier process left behind: the scheduler carries it on at its own pace.
    database->Write([&](store::Session& session) {
      store::MakeOpenOrdersDue(session, clock.Now());
    });
    issue::WantWhatIsMissing(*database, obtainer.defaults(), clock.Now());
    scheduler->Start();
    chores.Start();
    tasks->Start();
    log::Info(Cat("ready: CA ", authorities.Primary().directory(), ", HTTP-01 on ",
                  config.http01_listen));
  }

  bool Deliver(std::int64_t seq, Millis timeout, std::stop_token stop) {
    if (mode == Mode::kCommand) return DeliverHere(stop);
    return !publisher || feed.WaitPassed(traefik::kSubscriberName, seq, timeout, stop);
  }

  bool DeliverHere(std::stop_token stop) {
    const std::vector<std::string> failures = feed.DeliverPending(stop);
    for (const std::string& failure : failures) log::Warning(failure);
    return failures.empty();
  }

  const Mode mode;
  Clock& clock;
  const std::shared_ptr<store::Database> database;
  const issue::Ledger ledger;
  Cas cas;
  const issue::Authorities& authorities;
  http::Client traefik_transport;
  challenge::Http01Responder responder;
  Outlook outlook;
  std::optional<traefik::Publisher> publisher;
  Exports exports;
  std::unique_ptr<served::Watch> watch;  // the feed tells it, and it tells the feed
  events::Feed feed;
  const WatchStopper watch_stopper{watch};
  issue::Obtainer obtainer;
  issue::Revoker revoker{*database, authorities, feed, clock};
  issue::Chores chores{*database, authorities, revoker, obtainer.defaults(), clock};
  std::optional<issue::Jobs> jobs;
  std::optional<renewal::Scheduler> scheduler;
  std::optional<actions::Runner> runner;
  std::optional<actions::Tasks> tasks;  // they call the runner
};

Engine::Engine(const config::Config& config, Mode mode, std::shared_ptr<store::Database> database)
    : impl_(std::make_unique<Impl>(config, mode, std::move(database))) {}
Engine::~Engine() = default;

const actions::Runner& Engine::runner() const { return *impl_->runner; }

void Engine::DeliverPending() { impl_->DeliverHere({}); }

}  // namespace certwright::app
