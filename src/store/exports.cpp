#include "certwright/store/exports.h"

#include <algorithm>
#include <tuple>

#include "certwright/base/text.h"
#include "codec.h"
#include "session.h"

namespace certwright::store {

namespace {

constexpr char kConsumerPrefix[] = "export:";

std::vector<std::string> ListNames(Session& session) {
  Query rows(Of(session), "SELECT name FROM export ORDER BY name");
  std::vector<std::string> names;
  while (rows.Step()) names.push_back(rows.Text());
  return names;
}

}  // namespace

std::optional<ExportState> FindExport(Session& session, const std::string& name) {
  Query row(Of(session),
            "SELECT name, made_of, content, written_at, reload_due, reloaded_at, failures, failure, "
            "failed_at FROM export WHERE name = ?",
            name);
  if (!row.Step()) return std::nullopt;
  ExportState state;
  state.name = row.Text();
  state.made_of = row.Text();
  state.content = row.Text();
  state.written_at = row.Int();
  state.reload_due = row.Int() != 0;
  state.reloaded_at = row.Int();
  state.failures = static_cast<int>(row.Int());
  state.failure = DecodeFailure(row.OptionalText());
  state.failed_at = row.Int();
  return state;
}

void SaveExport(Session& session, const ExportState& state) {
  Query(Of(session),
        "INSERT INTO export (name, made_of, content, written_at, reload_due, reloaded_at, failures, "
        "failure, failed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
        "made_of = excluded.made_of, content = excluded.content, "
        "written_at = excluded.written_at, reload_due = excluded.reload_due, "
        "reloaded_at = excluded.reloaded_at, failures = excluded.failures, "
        "failure = excluded.failure, failed_at = excluded.failed_at",
        state.name, state.made_of, state.content, state.written_at, state.reload_due,
        state.reloaded_at, state.failures, EncodeFailure(state.failure), state.failed_at)
      .Run();
}

void KeepExports(Session& session, const std::vector<std::string>& names) {
  for (const std::string& known : ListNames(session)) {
    if (std::find(names.begin(), names.end(), known) != names.end()) continue;
    Query(Of(session), "DELETE FROM export WHERE name = ?", known).Run();
    Query(Of(session), "DELETE FROM acknowledgement WHERE consumer = ?", ExportConsumer(known))
        .Run();
  }
}

std::string ExportConsumer(const std::string& name) { return Cat(kConsumerPrefix, name); }

bool IsExportConsumer(const std::string& consumer) { return consumer.starts_with(kConsumerPrefix); }

void SaveAcknowledgement(Session& session, const Acknowledgement& said) {
  Query(Of(session),
        "INSERT INTO acknowledgement (consumer, name, serial, acknowledged_at) "
        "VALUES (?, ?, ?, ?) ON CONFLICT (consumer, name) DO UPDATE SET "
        "serial = excluded.serial, acknowledged_at = excluded.acknowledged_at",
        said.consumer, said.name, said.serial, said.acknowledged_at)
      .Run();
}

bool DeleteAcknowledgement(Session& session, const std::string& consumer, const std::string& name) {
  return Query(Of(session), "DELETE FROM acknowledgement WHERE consumer = ? AND name = ?", consumer,
               name)
             .Run() > 0;
}

std::vector<Acknowledgement> ListAcknowledgements(Session& session) {
  Query rows(Of(session), "SELECT consumer, name, serial, acknowledged_at FROM acknowledgement");
  std::vector<Acknowledgement> said;
  while (rows.Step()) {
    Acknowledgement& each = said.emplace_back();
    each.consumer = rows.Text();
    each.name = rows.Text();
    each.serial = rows.Text();
    each.acknowledged_at = rows.Int();
  }
  std::sort(said.begin(), said.end(), [](const auto& a, const auto& b) {
    return std::tie(a.name, a.consumer) < std::tie(b.name, b.consumer);
  });
  return said;
}

}  // namespace certwright::store
