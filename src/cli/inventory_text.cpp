#include "inventory_text.h"

#include "certwright/base/text.h"
#include "text_table.h"

namespace certwright::cli {

namespace {

std::string Day(const json::Value& certificate, std::string_view key) {
  const std::string time = certificate.String(key);
  return time.empty() ? "-" : time.substr(0, 10);
}

// "valid, uploaded"
std::string State(const json::Value& certificate) {
  return Cat(certificate.String("validity"), certificate.Has("path") ? ", uploaded" : "",
             certificate.Bool("default") ? ", default" : "");
}

}  // namespace

std::string WindowText(const json::Value& window) {
  return window.IsObject() ? Cat(window.String("start"), " to ", window.String("end")) : "";
}

std::string PreflightText(const json::Value& preflight) {
  if (!preflight.IsObject()) return "";
  const json::Value& good = preflight["good"];
  return Cat(good.IsNull() ? "not known" : preflight.Bool("good") ? "good" : "bad", " at ",
             preflight.String("at"), ": ", preflight.String("saw"), "; looked at again at ",
             preflight.String("next_at", "-"));
}

std::string ListText(const json::Value& output) {
  std::vector<std::vector<std::string>> rows{
      {"NAMES", "STATE", "VALID UNTIL", "NEXT RENEWAL", "ISSUER", "LAST ERROR"}};
  for (const char* part : {"certificates", "missing"}) {
    for (const json::Value& certificate : output[part].Items()) {
      const std::string error = certificate["last_error"].String("detail");
      const bool revoked = !certificate.String("to_be_revoked").empty();
      rows.push_back({Join(certificate.Strings("names"), ","),
                      revoked ? "to be revoked" : State(certificate),
                      Day(certificate, "valid_to"), Day(certificate, "next_renewal"),
                      certificate.String("issuer", "-"),
                      error.empty() ? "-"
                                    : Cat(certificate.Bool("parked") ? "parked: " : "",
                                          Printable(error, 100))});
    }
  }
  if (rows.size() == 1) return "no certificates yet; 'certwright issue NAME' obtains one\n";
  return TextTable(rows);
}

std::string ShowText(const json::Value& output) {
  std::vector<std::vector<std::string>> rows;
  const auto row = [&](std::string label, std::string value) {
    if (!value.empty()) rows.push_back({std::move(label), std::move(value)});
  };
  row("names", Join(output.Strings("names"), ", "));
  row("state", State(output));
  row("to be revoked", output.String("to_be_revoked"));
  row("path", output.String("path"));
  for (const char* key : {"serial", "subject", "issuer", "valid_from", "valid_to", "fingerprint",
                          "ca", "key_type", "owner", "next_renewal", "ari_id"}) {
    row(key, output.String(key));
  }
  row("the CA's window", WindowText(output["window"]));
  row("explained at", output["window"].String("explanation_url"));
  // The leaf's subject is often empty (RFC 5280 section 4.1.2.6): its names say what it is.
  std::string instead = Cat("(no subject) ", Join(output.Strings("names"), ", "));
  for (const json::Value& entry : output["chain"].Items()) {
    const std::string subject = entry.String("subject");
    row("chain", Cat(subject.empty() ? instead : subject, ", until ", entry.String("valid_to")));
    instead = "(no subject)";
  }
  for (const json::Value& version : output["versions"].Items()) {
    const std::string revoked = version.String("revoked_at");
    const std::string reason = version.String("revocation_reason");
    row("version", Cat(version.String("serial"), ", obtained ", version.String("obtained_at"),
                       ", until ", version.String("valid_to"),
                       version.Bool("current") ? ", current" : "",
                       !revoked.empty()  ? Cat(", revoked ", revoked, " (", reason, ")")
                       : !reason.empty() ? Cat(", to be revoked (", reason, ")")
                                         : ""));
  }
  for (const json::Value& order : output["orders"].Items()) {
    const std::string failure = order["failure"].String("detail");
    row("order", Cat(order.String("state"), ", ", order.String("created_at"),
                     order.Bool("forced") ? ", forced by a person" : "",
                     order.String("url").empty() ? "" : ", ", order.String("url"),
                     failure.empty() ? "" : ": ", failure));
  }
  for (const json::Value& consumer : output["consumers"].Items()) {
    row("consumer", Cat(consumer.String("consumer"), ", ", consumer.String("name"), ": has loaded ",
                        consumer.String("serial"), ", ", consumer.String("acknowledged_at"),
                        consumer.Bool("behind") ? ", is behind" : ""));
  }
  const json::Value& error = output["last_error"];
  if (error.IsObject()) {
    const std::string whose = output.String("failure_class");
    row("last error", Cat(output.String("last_error_at"), " (", output.Int("failures"),
                          " in a row", whose.empty() ? "" : ", ", whose,
                          output.Bool("parked") ? ", parked" : "", "): ", error.String("detail")));
    row("what to do", error.String("advice"));
    row("from outside", PreflightText(output["preflight"]));
  }
  return TextTable(rows);
}

}  // namespace certwright::cli
