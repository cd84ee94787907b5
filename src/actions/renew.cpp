// renew and plan: what is due, and what comes.
#include <algorithm>
#include <limits>

#include "certwright/base/text.h"
#include "certwright/issue/routes.h"
#include "certwright/json/failure.h"
#include "certwright/store/uploads.h"
#include "handler.h"

namespace certwright::actions {

namespace {

json::Value LookedJson(const renewal::Looked& looked) {
  // Of what failed it is the next try; what was stopped is not planned.
  const bool failed = looked.failure.has_value();
  const bool stopped = failed && looked.failure->code == FailureCode::kCancelled;
  const UnixSeconds at = stopped ? 0 : looked.due.renew_at;
  return json::Value::Object({{"names", Split(looked.name_set, ',')},
                              {"result", renewal::ResultName(looked.result)},
                              {"reason", renewal::ReasonName(looked.due.reason)},
                              {"renew_at", TimeOrNull(at)},
                              {"failure", failed ? json::ToJson(*looked.failure) : json::Value()}});
}

std::string Sentence(const renewal::Looked& looked) {
  using Result = renewal::Looked::Result;
  switch (looked.result) {
    case Result::kNotDue:
      return looked.due.renew_at > 0 ? Cat("not due before ", FormatUtc(looked.due.renew_at))
                                     : "never renewed";
    case Result::kWouldRenew:
      return Cat("would be renewed (", renewal::ReasonName(looked.due.reason), ")");
    case Result::kRenewed: return "renewed";
    case Result::kFailed: return Cat("failed: ", looked.failure->detail);
  }
  return "";
}

// A certificate and what is planned for it.
struct Row {
  store::HeldCertificate held;
  Prospect prospect;
  renewal::Due due;
  std::string ca;  // that is asked first
  issue::Forecast forecast;
};

// `rows` in order of time; those that are never due come last, and nothing is said of them.
void Foresee(const Invocation& call, std::vector<Row>& rows) {
  std::vector<issue::Planned> planned;
  std::vector<Row*> asking;
  for (Row& row : rows) {
    if (row.due.renew_at == 0) break;
    if (!row.prospect.open.empty()) continue;  // has taken its place already
    asking.push_back(&row);
    planned.push_back({issue::AskedFor(row.ca, row.held.certificate.names, row.held.current),
                       row.due.renew_at});
  }
  const auto forecasts = call.context.database.Read([&](store::Session& session) {
    return call.context.obtainer.ledger().Foresee(session, planned, call.context.clock.Now());
  });
  for (std::size_t i = 0; i < forecasts.size(); ++i) asking[i]->forecast = forecasts[i];
}

}  // namespace

std::optional<json::Value> Renew(const Invocation& call) {
  renewal::Wanted wanted;
  wanted.force = call.input.Bool("force");
  wanted.dry_run = call.input.Bool("dry_run");
  const std::vector<std::string> names = call.input.Strings("certificates");
  if (wanted.force && names.empty()) {
    throw Error(FailureCode::kUsage, "--force needs the names of certificates",
                "name those that are to be renewed though nothing is due");
  }
  call.context.database.Read([&](store::Session& session) {
    for (const std::string& name : names) {
      const store::HeldCertificate held = FindExact(session, name);
      if (wanted.force && store::UploadLabel(held.certificate)) {
        throw Error(FailureCode::kRefused, Cat(name, " was uploaded: no CA of ours renews it"),
                    "upload the one that takes its place");
      }
      const std::int64_t id = held.certificate.id;
      const auto begin = wanted.certificates.begin();
      const bool named_twice = std::find(begin, wanted.certificates.end(), id) !=
                               wanted.certificates.end();
      if (!named_twice) wanted.certificates.push_back(id);
    }
  });
  if (!wanted.dry_run && names.empty()) {
    issue::WantWhatIsMissing(call.context.database, call.context.obtainer.defaults(),
                            call.context.clock.Now());
  }
  if (!wanted.dry_run) PresentRoute(call);
  bool ok = true;
  json::Value certificates = json::Array{};
  call.context.scheduler.RunOnce(
      wanted,
      [&](const renewal::Looked& looked) {
        ok = ok && !looked.failure;
        certificates.Append(LookedJson(looked));
        call.Tell("renew", Cat(looked.name_set, ": ", Sentence(looked)), 0);
        // Not only when all have ended: a CA that hangs holds the others up for an hour.
        if (looked.result == renewal::Looked::Result::kRenewed) {
          call.context.deliver(0, Millis{0}, call.stop);
        }
      },
      call.stop);
  if (!wanted.dry_run && names.empty()) call.context.chores.RunOnce(call.stop);
  return json::Value::Object({{"ok", ok}, {"certificates", certificates}});
}

std::optional<json::Value> Plan(const Invocation& call) {
  const issue::Authorities& authorities = call.context.authorities;
  const UnixSeconds now = call.context.clock.Now();
  std::vector<Row> rows;
  call.context.database.Read([&](store::Session& session) {
    Prospects prospects(call.context, session);
    for (store::HeldCertificate& held : store::ListCertificates(session, false)) {
      Row row{std::move(held), {}, {}, authorities.Primary().directory(), {}};
      row.prospect = prospects.Of(row.held);
      if (!row.prospect.open.empty()) row.ca = row.prospect.open.front().directory;
      row.due = row.prospect.Plan(row.held, now);
      rows.push_back(std::move(row));
    }
  });
  const auto when = [](const Row& row) {
    return row.due.renew_at > 0 ? row.due.renew_at : std::numeric_limits<UnixSeconds>::max();
  };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const Row& a, const Row& b) { return when(a) < when(b); });
  Foresee(call, rows);
  json::Value certificates = json::Array{};
  for (const Row& row : rows) {
    json::Value planned = json::Value::Object(
        {{"names", model::Names(row.held.certificate.names)},
         {"renew_at", TimeOrNull(row.due.renew_at)},
         {"reason", renewal::ReasonName(row.due.reason)},
         {"ca", row.ca},
         {"valid_to", TimeOrNull(row.held.current ? row.held.current->not_after : 0)},
         {"window", WindowJson(row.prospect.window)}});
    TellFailure(row.held.certificate, planned);
    TellForecast(row.forecast, planned);
    certificates.Append(std::move(planned));
  }
  return json::Value::Object({{"certificates", certificates}});
}

}  // namespace certwright::actions
