#include "exports.h"

#include <algorithm>
#include <span>

#include "certwright/base/error.h"
#include "certwright/base/log.h"
#include "certwright/base/parallel.h"
#include "certwright/base/text.h"
#include "certwright/store/exports.h"

namespace certwright::app {

namespace {

constexpr Millis kRound = std::chrono::hours(1);
constexpr std::size_t kSideBySide = 8;

class ExportSubscriber : public events::Subscriber {
 public:
  explicit ExportSubscriber(exports::Keeper& keeper) : keeper_(keeper) {}
  std::string name() const override { return store::ExportConsumer(keeper_.target().name); }
  store::Kinds kinds() const override {
    return {events::kCertificateChanged, events::kDefaultCertificateChanged};
  }
  int batch() const override { return 1000; }
  bool catches_up() const override { return true; }

  void Deliver(std::span<const model::Event> events, std::stop_token stop) override {
    const bool concerned =
        std::any_of(events.begin(), events.end(), [&](const model::Event& event) {
          return event.name == events::kDefaultCertificateChanged ||
                 keeper_.Concerns(event.names);
        });
    if (concerned || events.empty()) keeper_.Keep(stop);
  }

 private:
  exports::Keeper& keeper_;
};

}  // namespace

exports::Target TargetOf(const config::Export& configured) {
  exports::Target target;
  target.name = configured.name;
  target.names = configured.names;
  target.format = exports::FormatFromName(configured.format);
  target.dir = configured.dir;
  target.path = configured.path;
  target.owner = configured.owner;
  target.group = configured.group;
  target.mode = configured.mode;
  target.password_file = configured.password_file;
  target.reload = configured.reload;
  target.reload_timeout = std::chrono::seconds(configured.reload_timeout);
  return target;
}

Exports::Exports(const config::Config& config, store::Database& database, Clock& clock)
    : clock_(clock) {
  std::vector<std::string> names;
  for (const config::Export& configured : config.exports) {
    names.push_back(configured.name);
    keepers_.push_back(
        std::make_unique<exports::Keeper>(TargetOf(configured), database, clock));
  }
  database.Write([&](store::Session& session) { store::KeepExports(session, names); });
}

void Exports::Subscribe(events::Feed& feed) {
  for (const auto& keeper : keepers_) {
    feed.Subscribe(std::make_unique<ExportSubscriber>(*keeper));
  }
}

void Exports::Start() {
  if (keepers_.empty()) return;
  rounds_ = std::jthread([this](std::stop_token stop) {
    while (clock_.Sleep(kRound, stop)) KeepAll(stop);
  });
}

void Exports::KeepAll(std::stop_token stop) {
  RunSideBySide(keepers_.size(), kSideBySide, [&](std::size_t i) {
    try {
      keepers_[i]->Keep(stop);
    } catch (const Error& error) {
      if (error.failure().code == FailureCode::kCancelled) return;
      log::Warning(Cat("export ", Printable(keepers_[i]->target().name), ": ", error.what()));
    }
  });
}

}  // namespace certwright::app
