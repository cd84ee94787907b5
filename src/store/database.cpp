#include "certwright/store/database.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "certwright/base/error.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "copy.h"
#include "migrate.h"
#include "open.h"
#include "session.h"

namespace certwright::store {
namespace {

// The one test hook of the store: CERTWRIGHT_TEST_EXIT_AFTER_SAVES=k ends the process, as kill -9
// would, right after the k-th commit that saved a step of an order, an account or a revocation.
void EndHereIfTested() {
  static const char* const limit = std::getenv("CERTWRIGHT_TEST_EXIT_AFTER_SAVES");
  if (limit == nullptr) return;
  static std::atomic<int> saves{0};
  if (++saves == std::atoi(limit)) ::_exit(99);
}

// How long the commits within its life wait for the disk (sqlite.org/pragma.html#pragma_synchronous).
class Patience {
 public:
  Patience(Connection& connection, bool none) : connection_(none ? &connection : nullptr) {
    if (connection_ != nullptr) Query(*connection_, "PRAGMA synchronous = NORMAL").Run();
  }
  Patience(const Patience&) = delete;
  ~Patience() {
    if (connection_ == nullptr) return;
    sqlite3_exec(connection_->handle(), "PRAGMA synchronous = FULL", nullptr, nullptr, nullptr);
  }

 private:
  Connection* connection_;
};

}  // namespace

struct Database::Impl {
  LockFile lock;  // before the connection: let go after it
  std::unique_ptr<Connection> connection;
  int schema_version = 0;
  std::mutex mutex;
  std::atomic<std::thread::id> owner{};

  // Moves the log into the database and empties it. Not done while it matters: what was committed
  // stays committed when this fails, and the next checkpoint makes up for it.
  void EmptyLog() {
    const int result = sqlite3_wal_checkpoint_v2(connection->handle(), nullptr,
                                                 SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    if (result != SQLITE_OK) {
      log::Warning(Cat("the store's log could not be emptied after a deletion: ",
                       sqlite3_errstr(result)));
    }
  }

  void Rollback() noexcept {
    // SQLite ends the transaction by itself on some errors.
    if (sqlite3_get_autocommit(connection->handle()) != 0) return;
    sqlite3_exec(connection->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
};

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

std::unique_ptr<Database> Database::Open(const Path& dir) {
  return Open(dir, EmbeddedMigrations());
}

std::unique_ptr<Database> Database::Open(const Path& dir,
                                         std::span<const EmbeddedFile> migrations) {
  EnsurePrivateDir(dir, 0700);
  // Canonical: SQLite's NOFOLLOW refuses a symbolic link in any part of the path.
  const Path real = std::filesystem::canonical(dir);
  LockFile lock = LockStore(real);
  auto connection = OpenConnection(real, migrations);
  auto impl = std::make_unique<Impl>(std::move(lock), std::move(connection),
                                     static_cast<int>(migrations.size()));
  return std::unique_ptr<Database>(new Database(std::move(impl)));
}

Database::~Database() = default;  // closing checkpoints and removes the log

int Database::schema_version() const { return impl_->schema_version; }

Database::Effort Database::TakeEffort() {
  const std::lock_guard guard(impl_->mutex);
  const Connection::Work work = impl_->connection->TakeWork();
  return {work.full_scan_steps, work.sorts, work.virtual_machine_steps};
}

void Database::CopyTo(const Path& file) {
  const std::lock_guard guard(impl_->mutex);
  store::CopyInto(*impl_->connection, file);
}

void Database::RunTransaction(Kind kind, const std::function<void(Session&)>& work) {
  Impl& impl = *impl_;
  if (impl.owner.load(std::memory_order_relaxed) == std::this_thread::get_id()) {
    throw Error(FailureCode::kInternal, "a transaction was begun inside a transaction");
  }
  const std::lock_guard guard(impl.mutex);
  struct Ownership {
    std::atomic<std::thread::id>& owner;
    explicit Ownership(std::atomic<std::thread::id>& o) : owner(o) {
      owner = std::this_thread::get_id();
    }
    ~Ownership() { owner = std::thread::id(); }
  } ownership(impl.owner);

  Session::Impl inside{*impl.connection};
  const Patience patience(*impl.connection, kind == Kind::kWriteSoon);
  Query(*impl.connection, kind == Kind::kRead ? "BEGIN" : "BEGIN IMMEDIATE").Run();
  try {
    Session session(inside);
    work(session);
    Query(*impl.connection, "COMMIT").Run();
  } catch (...) {
    impl.Rollback();
    throw;
  }
  if (inside.deleted_keys) impl.EmptyLog();
  if (inside.saved_step) EndHereIfTested();
}

}  // namespace certwright::store
