// Files that are kept in step with the store for a consumer: one [[export]].
#pragma once

#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/file.h"
#include "certwright/export/bundle.h"
#include "certwright/store/database.h"
#include "certwright/store/exports.h"

namespace certwright::exports {

struct Target {
  std::string name;                // how it is known: the key of what is stored of it
  std::vector<std::string> names;  // host names, lower case
  Format format = Format::kPem;
  // Either a folder. It is a symbolic link to a folder beside it (".<its name>.certwright-<random>"),
  // and is switched as a whole: what is in one such folder always fits, and stays for a minute after
  // it was replaced, for who is reading it.
  Path dir;
  Path path;  // or one file, for one name
  std::string owner;  // user and group of the files, "" : ours
  std::string group;
  // None: 0644, and 0600 for files with a key (0640 where there is a group).
  std::optional<mode_t> mode;
  Path password_file;  // of kPkcs12: its first line; "" : an empty password
  std::vector<std::string> reload;  // program and arguments; empty: there is nothing to tell
  Millis reload_timeout{60'000};
};

// The files of one host name in the folder, by what is in them. Of a single name kPem is cert.pem,
// chain.pem, fullchain.pem and privkey.pem, of several the same in NAME/; other formats are NAME.pem,
// NAME.p12, NAME.der or NAME.json. In file names "*" is "_".
struct LayoutFile {
  Path path;  // relative; "" where the target is one file
  Format format;
};
std::vector<LayoutFile> LayoutOf(const Target& target, const std::string& name);

// Throws Error(kConfig) where there is no such user or group, or the password cannot be read.
void CheckTarget(const Target& target);

// What is exported for one host name.
struct Exported {
  std::string name;
  std::string serial_hex;
  UnixSeconds not_after = 0;
};

// How an export stands.
struct Status {
  std::vector<Exported> exported;
  std::vector<std::string> waiting;      // names for which nothing is held
  std::vector<std::string> differences;  // files that are not what they should be, in words
  store::ExportState state;

  // "failed", "out-of-step", "reload-due", "waiting" (nothing is held for some name), "in-step".
  std::string Word() const;
  // Why, in words; "" for "in-step".
  std::string Detail() const;
};

class Keeper {
 public:
  Keeper(Target target, store::Database& database, Clock& clock);

  const Target& target() const { return target_; }
  // Whether a change of these names concerns it.
  bool Concerns(const std::vector<std::string>& names) const;

  // Writes what differs from what the store holds and then runs `reload`: when something was
  // written, or when it did not end with 0 since (also where the process was killed in between). A
  // name for which nothing is held leaves its files as they are. What it comes to is stored; a
  // reload that ended with 0 is acknowledged as store::ExportConsumer(name). Throws Error: of the
  // files kDisk | kPermission | kConfig (no such user or group, a folder in the place of `dir`), of
  // the reload kRefused, kCancelled. Safe from several threads: one after the other.
  void Keep(std::stop_token stop);

  // Changes nothing. Throws Error where files or store cannot be read.
  Status Look();

 private:
  struct Plan;
  Plan MakePlan(const store::ExportState& state);
  store::ExportState Stored();
  void Save(const store::ExportState& state);
  void WriteWhatDiffers(const Plan& plan, store::ExportState& state);
  void Reload(const Plan& plan, store::ExportState& state, std::stop_token stop);

  const Target target_;
  store::Database& database_;
  Clock& clock_;
  std::mutex keeping_;
};

}  // namespace certwright::exports
