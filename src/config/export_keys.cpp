// The keys of one [[export]].
#include <iterator>

#include "certwright/base/error.h"
#include "certwright/model/identifier.h"
#include "key_kinds.h"
#include "keys.h"

namespace certwright::config {
namespace {

Key<Export> NamesKey() {
  Key<Export> key = TextsKey<Export>(
      "names", CERTWRIGHT_FIELD(names), [](std::string_view) {}, "[\"mail.example.org\"]",
      "host names; for each the certificate that get-certificate would give");
  key.read = [](const Value& value, Export& target) {
    target.names.clear();
    for (const std::string& text : value.Texts()) {
      try {
        target.names.push_back(model::ParseIdentifier(text).value);
      } catch (const Error& error) {
        throw Problem{error.failure().detail};
      }
    }
    if (target.names.empty()) throw Problem{"is empty, wanted is at least one host name"};
  };
  return key;
}

Key<Export> ModeKey() {
  return {"mode", "\"0640\"",
          "of the files, in octal digits; empty: 0644, and 0600 for those with a key (0640 where a "
          "group is named)",
          [](const Value& value, Export& target) {
            const std::string text = value.Text();
            target.mode.reset();
            if (text.empty()) return;
            try {
              target.mode = ParseFileMode(text);
            } catch (const Problem& problem) {
              throw Problem{Cat("\"", Printable(text, 20), "\" ", problem.text)};
            }
          },
          [](const Export& target) { return target.mode ? ModeText(*target.mode) : "\"\""; }};
}

Key<Export> ReloadKey() {
  Key<Export> key = TextsKey<Export>(
      "reload", CERTWRIGHT_FIELD(reload), [](std::string_view) {},
      "[\"systemctl\", \"reload\", \"postfix\"]",
      "program and arguments, without a shell: run when something changed, again until it ends "
      "with 0");
  key.read = [read = key.read](const Value& value, Export& target) {
    read(value, target);
    if (target.reload.empty()) return;
    const std::string& program = target.reload.front();
    if (program.empty()) throw Problem{"names no program"};
    if (target.reload.size() == 1 && program.find(' ') != std::string::npos) {
      throw Problem{"is one word with blanks, and no shell divides it; write each word as a text"};
    }
  };
  return key;
}

}  // namespace

const std::vector<Key<Export>>& ExportKeys() {
  static const std::vector<Key<Export>> keys = {
      NamesKey(),
      PathKey<Export>("dir", CERTWRIGHT_FIELD(dir), true, "\"/etc/postfix/tls\"",
                      "the folder that holds the files: a link that is switched as a whole"),
      PathKey<Export>("path", CERTWRIGHT_FIELD(path), true, "\"/etc/haproxy/site.pem\"",
                      "instead of dir: one file, for one name"),
      ChoiceKey<Export>("format", CERTWRIGHT_FIELD(format),
                        {std::begin(kExportFormats), std::end(kExportFormats)},
                        "pem, fullchain, cert, chain, key, combined, haproxy, pkcs12, der or json"),
      TextKey<Export>("name", CERTWRIGHT_FIELD(name), true, CheckWord, "\"postfix\"",
                      "how it is called in events, status and logs; empty: by its dir or path"),
      TextKey<Export>("owner", CERTWRIGHT_FIELD(owner), true, CheckWord, "\"postfix\"",
                      "user that the files belong to; empty: ours"),
      TextKey<Export>("group", CERTWRIGHT_FIELD(group), true, CheckWord, "\"postfix\"",
                      "group of the files, which may read keys too; empty: ours"),
      ModeKey(),
      PathKey<Export>("password_file", CERTWRIGHT_FIELD(password_file), true,
                      "\"/etc/certwright/tomcat.password\"",
                      "holds the password of pkcs12, on its first line"),
      ReloadKey(),
      SecondsKey<Export>("reload_timeout", CERTWRIGHT_FIELD(reload_timeout), 1, 3600,
                         "the time that reload may take"),
  };
  return keys;
}

std::string ExportsText(const Config& config) { return SectionsText(ExportKeys(), config.exports); }

}  // namespace certwright::config
