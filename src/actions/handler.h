// What a handler is: the inside of the actions module.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "certwright/actions/runner.h"
#include "certwright/json/schema.h"
#include "certwright/json/value.h"
#include "certwright/store/exports.h"

namespace certwright::actions {

using json::TimeOrNull;

struct Invocation {
  const Context& context;
  const json::Value& input;  // valid by its schema
  const std::string& action;
  const std::string& role;
  const std::string& caller;
  const std::string& upload_verify;  // "", or what an owner set over the configuration
  const model::ProgressSink& progress;
  std::stop_token stop;
  std::string& note;

  // Tells a step of the handler's own.
  void Tell(std::string step, std::string text, int percent) const {
    if (progress) progress({std::move(step), std::move(text), percent});
  }
  // Said on standard error of a call that succeeds all the same.
  void Note(const std::string& text) const { note += (note.empty() ? "" : "; ") + text; }
};

// A failed check of an action's own: the caller gets the list that it knows from schema failures.
struct CheckFailed {
  int exit_code = 0;
  std::string field;
  std::string parameter;
  json::Value value;
  std::string error;    // the contract's error id
  std::string details;  // the CA's words, or ""
  std::optional<Failure> failure;
};

// nullopt: the action has no output. Throws Error, or CheckFailed.
using Handler = std::optional<json::Value> (*)(const Invocation& call);

// contract.md.
std::optional<json::Value> SetCertificate(const Invocation& call);
std::optional<json::Value> GetCertificate(const Invocation& call);
std::optional<json::Value> ListCertificates(const Invocation& call);
std::optional<json::Value> DeleteCertificate(const Invocation& call);
std::optional<json::Value> SetDefaultCertificate(const Invocation& call);
std::optional<json::Value> UploadCertificate(const Invocation& call);
std::optional<json::Value> SetAcmeServer(const Invocation& call);
std::optional<json::Value> GetAcmeServer(const Invocation& call);
std::optional<json::Value> SetTrustedProxies(const Invocation& call);
std::optional<json::Value> GetTrustedProxies(const Invocation& call);
std::optional<json::Value> SetRoute(const Invocation& call);
std::optional<json::Value> GetRoute(const Invocation& call);
std::optional<json::Value> ListRoutes(const Invocation& call);
std::optional<json::Value> DeleteRoute(const Invocation& call);
std::optional<json::Value> ModuleRemoved(const Invocation& call);
// Behind the commands of the same name.
std::optional<json::Value> Issue(const Invocation& call);
std::optional<json::Value> List(const Invocation& call);
std::optional<json::Value> Show(const Invocation& call);
std::optional<json::Value> Export(const Invocation& call);
std::optional<json::Value> Delete(const Invocation& call);
std::optional<json::Value> Renew(const Invocation& call);
std::optional<json::Value> Plan(const Invocation& call);
std::optional<json::Value> Activate(const Invocation& call);
std::optional<json::Value> Revoke(const Invocation& call);
std::optional<json::Value> Backup(const Invocation& call);
std::optional<json::Value> Import(const Invocation& call);
std::optional<json::Value> ListExports(const Invocation& call);
std::optional<json::Value> RunExport(const Invocation& call);
std::optional<json::Value> ListServed(const Invocation& call);
std::optional<json::Value> CheckServed(const Invocation& call);
std::optional<json::Value> Acknowledge(const Invocation& call);
std::optional<json::Value> ShowLedger(const Invocation& call);
std::optional<json::Value> ShowAudit(const Invocation& call);
std::optional<json::Value> Doctor(const Invocation& call);
std::optional<json::Value> Status(const Invocation& call);
std::optional<json::Value> Metrics(const Invocation& call);
std::optional<json::Value> ListEvents(const Invocation& call);
std::optional<json::Value> ReplayEvents(const Invocation& call);
std::optional<json::Value> ListTasks(const Invocation& call);
std::optional<json::Value> ShowTask(const Invocation& call);
std::optional<json::Value> CancelTask(const Invocation& call);
std::optional<json::Value> AccountShow(const Invocation& call);
std::optional<json::Value> AccountRegister(const Invocation& call);
std::optional<json::Value> AccountUpdate(const Invocation& call);
std::optional<json::Value> AccountRollover(const Invocation& call);
std::optional<json::Value> AccountDeactivate(const Invocation& call);
std::optional<json::Value> TraefikRender(const Invocation& call);
std::optional<json::Value> TraefikCheck(const Invocation& call);

// Whether a private key goes out with this output of the action.
bool ReleasesKey(const std::string& action, const std::optional<json::Value>& output);

// The schema of an action's "input" or "output"; null where it has none.
const json::Schema* FindSchema(const std::string& action, const std::string& kind);

// The certificate that a person means by a name or a serial: exactly this name set, else this
// serial, else the one that covers the name. Throws Error(kNotFound).
store::HeldCertificate FindMeant(store::Session& session, const std::string& name_or_serial);
// The same for what cannot be undone: exactly this name set, or this serial. Throws
// Error(kNotFound) that names those which only cover a name of it.
store::HeldCertificate FindExact(store::Session& session, const std::string& names_or_serial);

// Throws Error(kTimeout) while one is obtained for these names: it would meet another world.
void RefuseWhileUnderWay(const Invocation& call, const store::HeldCertificate& held);

// What callers know an upload by: "custom_certificates/<label>.crt" (see store/uploads.h).
std::string PathOfLabel(const std::string& label);
std::optional<std::string> LabelOfPath(const std::string& path);  // nullopt: it is no such path

// "valid", "expiring" (within 30 days, or a third of a lifetime under 90 days) or "expired".
std::string Validity(const model::CertificateVersion& version, UnixSeconds now);

// What is known of the next order of a certificate.
struct Prospect {
  model::RenewalInfo window;             // of its current version; empty where the CA said nothing
  std::vector<model::OrderRecord> open;  // under way, at CAs that are configured

  renewal::Due Plan(const store::HeldCertificate& held, UnixSeconds now) const;
};

// The prospects of certificates, in one transaction.
class Prospects {
 public:
  Prospects(const Context& context, store::Session& session);
  Prospect Of(const store::HeldCertificate& held);

 private:
  store::Session& session_;
  std::map<std::int64_t, std::vector<model::OrderRecord>> open_;  // by certificate; few
};

// What list and show say of a certificate.
json::Value Describe(const store::HeldCertificate& held, const Prospect& prospect, UnixSeconds now);
// The same as it stands now.
json::Value DescribeNow(const Context& context, const store::HeldCertificate& held);
// Sets what list, show and plan say of its failures.
void TellFailure(const model::ManagedCertificate& certificate, json::Value& value);
// {start, end, explanation_url}, or null where the CA has told no window.
json::Value WindowJson(const model::RenewalInfo& known);

// How an export stands (exports::Status): state and why, in words.
struct ExportState {
  std::string name;
  std::string state;   // in-step, waiting, reload-due, out-of-step or failed
  std::string detail;  // "" for in-step
};
std::vector<ExportState> StatesOfExports(const Context& context);

// What a consumer has loaded for a host name, and whether something else is held by now.
struct ConsumerState {
  store::Acknowledgement said;
  std::string wanted_serial;  // "": nothing is held for the name any more
  UnixSeconds wanted_since = 0;
  bool behind = false;
};
std::vector<ConsumerState> StatesOfConsumers(store::Session& session, UnixSeconds now);
// The same of those whose name one of `names` covers.
json::Value ConsumersJson(store::Session& session, const std::vector<std::string>& names,
                          UnixSeconds now);

// What plan says of the CA's limits: budgets, those that the order needs; shortage, the one that it
// runs into.
void TellForecast(const issue::Forecast& forecast, json::Value& planned);

// Waits until the challenge route is there, for a while: where it does not come, the CA will say so
// in its own words, and there may be another way for it.
void PresentRoute(const Invocation& call);
// An issuance as a caller asks for it: the challenge route is there where something will be
// ordered, the one job of that name set is joined or begun, and waited for. Throws as
// issue::Job::Wait.
issue::ObtainResult ObtainNow(const Invocation& call, const issue::ObtainRequest& request,
                              Millis timeout);

// What a request for these names leaves behind where only this call wanted them and did not get a
// certificate: nothing, so that nobody goes on asking the CA. An order that is still under way goes on.
void Forget(const Invocation& call, const std::string& name_set);

// What follows a removal that was told up to event `seq` (0: of nothing): Traefik is waited for, and
// routes whose host it covered by another name ask a CA from now on.
void AfterRemoval(const Invocation& call, std::int64_t seq);

// Wakes who is told of events, and waits until Traefik serves what was changed up to event `seq`:
// 11 s at most. Where it does not come, that is only said: it is stored, and tried again.
void AwaitRoutes(const Invocation& call, std::int64_t seq);
// Whether `text` holds `token` with no letter and no digit on either side of it.
bool BearsToken(std::string_view text, std::string_view token);

// Waits until a change is where it was promised: Traefik and the other subscribers have it, and a
// TLS handshake shows it. Without a change (event_seq 0) a Traefik that does not answer is not
// waited for. False: there is no Traefik, or no way to look at it. Throws Error(kTraefik) where it
// does not come.
bool AwaitServed(const Invocation& call, const model::CertificateVersion& version,
                 std::int64_t event_seq);
// The same for a call that has done what it is for: that Traefik does not serve it (yet), or that
// nobody waits for it any more, is logged and given. Traefik gets it all the same, now or at the next
// start.
struct Served {
  bool seen = false;  // what AwaitServed gives
  std::optional<Failure> failure;
};
Served AwaitServedOrTell(const Invocation& call, const model::CertificateVersion& version,
                         std::int64_t event_seq);

}  // namespace certwright::actions
