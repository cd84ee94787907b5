// The SQLite store: opening, migrations, transactions. The only user of sqlite3 is behind store's
// headers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "certwright/base/clock.h"
#include "certwright/base/embedded.h"
#include "certwright/base/file.h"

namespace certwright::store {

// What a repository needs to speak to the database: proof that a transaction is open. Not copied,
// not kept: it lives as long as the function that was given it.
class Session {
 public:
  struct Impl;
  explicit Session(Impl& impl) : impl_(impl) {}
  Session(const Session&) = delete;
  Impl& impl() { return impl_; }

 private:
  Impl& impl_;
};

// One connection, one process (SQLite locking_mode=EXCLUSIVE and a lock file beside it). Safe from
// several threads: transactions queue up. No transaction may be held across a network call.
class Database {
 public:
  // Opens or makes `dir`/certwright.db (0600; the directory must be ours, it is made 0700), migrates
  // it to the newest version (a copy is kept before). Throws Error: kBusy (another process holds it;
  // names its pid), kDamaged (quick_check or header says so; the file is left as it is),
  // kPermission, kDisk, kConfig (the file is of a newer Certwright, or of another program).
  static std::unique_ptr<Database> Open(const Path& dir);
  // The same with other migrations than those in the binary: the n-th text leads to schema n.
  static std::unique_ptr<Database> Open(const Path& dir, std::span<const EmbeddedFile> migrations);
  ~Database();

  // Runs `work` inside BEGIN IMMEDIATE .. COMMIT and gives back what it returns; an exception rolls
  // back and goes on up. Throws Error(kDisk | kDamaged) where SQLite fails; then nothing was
  // changed.
  // Transactions do not nest: Error(kInternal).
  template <typename Work>
  auto Write(Work&& work) -> std::invoke_result_t<Work, Session&> {
    return Run(Kind::kWrite, std::forward<Work>(work));
  }
  // As Write, without waiting for the disk: the end of the process does not undo it, a loss of power
  // in the next moments may. What was written before it is as safe as it was.
  template <typename Work>
  auto WriteSoon(Work&& work) -> std::invoke_result_t<Work, Session&> {
    return Run(Kind::kWriteSoon, std::forward<Work>(work));
  }
  // The same for reading (BEGIN .. COMMIT, one consistent view).
  template <typename Work>
  auto Read(Work&& work) -> std::invoke_result_t<Work, Session&> {
    return Run(Kind::kRead, std::forward<Work>(work));
  }

  int schema_version() const;

  // A copy of the whole, as of one instant, in `file`: see Backup in store/backup.h.
  void CopyTo(const Path& file);

  // What the statements did since the last call: shows that a query uses its index.
  struct Effort {
    std::int64_t full_scan_steps = 0;  // rows read without an index
    std::int64_t sorts = 0;
    std::int64_t virtual_machine_steps = 0;
  };
  Effort TakeEffort();

 private:
  struct Impl;
  explicit Database(std::unique_ptr<Impl> impl);
  enum class Kind { kRead, kWrite, kWriteSoon };
  void RunTransaction(Kind kind, const std::function<void(Session&)>& work);

  template <typename Work>
  auto Run(Kind kind, Work&& work) -> std::invoke_result_t<Work, Session&> {
    using Result = std::invoke_result_t<Work, Session&>;
    if constexpr (std::is_void_v<Result>) {
      RunTransaction(kind, [&](Session& session) { work(session); });
    } else {
      std::optional<Result> result;
      RunTransaction(kind, [&](Session& session) { result.emplace(work(session)); });
      return std::move(*result);
    }
  }

  std::unique_ptr<Impl> impl_;
};

}  // namespace certwright::store
