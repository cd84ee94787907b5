#include "sqlite.h"

#include <utility>

#include "certwright/base/text.h"

namespace certwright::store {

FailureCode CodeOf(int result) {
  switch (result & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
      return FailureCode::kDisk;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return FailureCode::kDamaged;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return FailureCode::kBusy;
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return FailureCode::kPermission;
    default:
      return FailureCode::kInternal;
  }
}

namespace {

std::string_view AdviceFor(FailureCode code) {
  if (code == FailureCode::kDisk) {
    return "make room on the disk (or raise the limit of the file's size); nothing was changed";
  }
  if (code == FailureCode::kDamaged) {
    return "keep a copy of the file, then restore the newest backup";
  }
  if (code == FailureCode::kBusy) return "end the process that holds the store, then try again";
  if (code == FailureCode::kPermission) {
    return "check the owner and the mode of the state directory and of its files";
  }
  return "";
}

}  // namespace

Connection::Connection(const Path& path) : path_(path) {
  sqlite3* db = nullptr;
  // NOMUTEX: Database lets one thread in at a time.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE |
                    SQLITE_OPEN_NOMUTEX;
  const int result = sqlite3_open_v2(path.c_str(), &db, flags, nullptr);
  db_.reset(db);
  if (result != SQLITE_OK) Throw(result, "open it");
}

void Connection::Throw(int result, std::string_view what) {
  const FailureCode code = CodeOf(result);
  const char* words = db_ ? sqlite3_errmsg(db_.get()) : sqlite3_errstr(result);
  Failure failure;
  failure.code = code;
  failure.detail =
      Cat("the store ", Printable(path_.string()), ": cannot ", what, ": ", Printable(words));
  failure.advice = AdviceFor(code);
  failure.transient = code == FailureCode::kBusy;
  throw Error(std::move(failure));
}

void Connection::Execute(const std::string& sql) {
  const int result = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) Throw(result, Cat("do '", Printable(sql, 60), "'"));
}

std::int64_t Connection::QueryInt(const std::string& sql) {
  Query query(*this, sql);
  return query.Step() ? query.Int() : 0;
}

StatementHandle Connection::Take(const std::string& sql) {
  if (auto cached = cache_.find(sql); cached != cache_.end() && cached->second) {
    return std::move(cached->second);
  }
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v3(db_.get(), sql.c_str(), static_cast<int>(sql.size() + 1),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (result != SQLITE_OK) Throw(result, Cat("prepare '", Printable(sql, 60), "'"));
  return StatementHandle(statement);
}

void Connection::GiveBack(const std::string& sql, StatementHandle statement) {
  sqlite3_reset(statement.get());
  sqlite3_clear_bindings(statement.get());
  cache_[sql] = std::move(statement);
}

Connection::Work Connection::TakeWork() {
  Work work;
  for (auto& [sql, statement] : cache_) {
    if (!statement) continue;
    const auto take = [&](int what) { return sqlite3_stmt_status(statement.get(), what, 1); };
    work.full_scan_steps += take(SQLITE_STMTSTATUS_FULLSCAN_STEP);
    work.sorts += take(SQLITE_STMTSTATUS_SORT);
    work.virtual_machine_steps += take(SQLITE_STMTSTATUS_VM_STEP);
  }
  return work;
}

Query::~Query() {
  if (statement_) connection_.GiveBack(sql_, std::move(statement_));
}

bool Query::Step() {
  column_ = 0;
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result != SQLITE_DONE) {
    // Never the statement with its values: they may be keys.
    connection_.Throw(result, Cat("do '", Printable(sql_, 60), "'"));
  }
  return false;
}

int Query::Run() {
  while (Step()) {
  }
  return sqlite3_changes(connection_.handle());
}

std::string Query::Text() { return OptionalText().value_or(std::string()); }

std::optional<std::string> Query::OptionalText() {
  const int column = column_++;
  const auto* text =
      reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return std::nullopt;
  return std::string(text,
                     static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

std::optional<std::int64_t> Query::OptionalInt() {
  const int column = column_++;
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  return sqlite3_column_int64(statement_.get(), column);
}

void Query::Bind(std::int64_t value) {
  Check(sqlite3_bind_int64(statement_.get(), ++parameter_, value));
}

void Query::Bind(std::string_view value) {
  // A null pointer would bind NULL where an empty text is meant.
  const char* data = value.data() == nullptr ? "" : value.data();
  Check(sqlite3_bind_text(statement_.get(), ++parameter_, data, static_cast<int>(value.size()),
                          SQLITE_TRANSIENT));
}

void Query::Bind(const std::optional<std::string>& value) {
  if (value) return Bind(std::string_view(*value));
  Check(sqlite3_bind_null(statement_.get(), ++parameter_));
}

void Query::Bind(const std::optional<std::int64_t>& value) {
  if (value) return Bind(*value);
  Check(sqlite3_bind_null(statement_.get(), ++parameter_));
}

void Query::Check(int result) {
  if (result != SQLITE_OK) connection_.Throw(result, "bind a value");
}

}  // namespace certwright::store
