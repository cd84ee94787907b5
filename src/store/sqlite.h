// The thin layer over sqlite3: a connection with its prepared statements, and rows.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "certwright/base/error.h"
#include "certwright/base/file.h"
#include "certwright/base/secret.h"

namespace certwright::store {

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using StatementHandle = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

// The Failure code for one of SQLite's (extended) result codes.
FailureCode CodeOf(int result);

// One connection. Not safe from two threads at once: Database holds a lock around it.
class Connection {
 public:
  // Opens an existing file, never through a symbolic link. `path` must be canonical.
  explicit Connection(const Path& path);
  Connection(const Connection&) = delete;

  sqlite3* handle() { return db_.get(); }
  const Path& path() const { return path_; }

  // Statements without parameters and without rows of interest; several of them divided by ";".
  void Execute(const std::string& sql);
  std::int64_t QueryInt(const std::string& sql);

  // Throws the Error for the connection's last failure. `what`: "save an order".
  [[noreturn]] void Throw(int result, std::string_view what);

  // A prepared statement, from the cache where it is there and not in use.
  StatementHandle Take(const std::string& sql);
  void GiveBack(const std::string& sql, StatementHandle statement);

  // What the cached statements did since the last call (sqlite3_stmt_status).
  struct Work {
    std::int64_t full_scan_steps = 0;
    std::int64_t sorts = 0;
    std::int64_t virtual_machine_steps = 0;
  };
  Work TakeWork();

 private:
  Path path_;
  std::unique_ptr<sqlite3, CloseDatabase> db_;
  std::map<std::string, StatementHandle> cache_;  // after db_: finalized before it is closed
};

// One run of a statement: bind in order, step, read the columns in order.
class Query {
 public:
  template <typename... Values>
  Query(Connection& connection, std::string sql, const Values&... values)
      : connection_(connection), sql_(std::move(sql)), statement_(connection.Take(sql_)) {
    (Bind(values), ...);
  }
  Query(const Query&) = delete;
  ~Query();

  // False where there is no further row. Throws Error.
  bool Step();
  // Steps to the end; how many rows were changed.
  int Run();

  // The next column of the row.
  std::int64_t Int() { return sqlite3_column_int64(statement_.get(), column_++); }
  std::string Text();
  std::optional<std::string> OptionalText();
  std::optional<std::int64_t> OptionalInt();
  // Skips columns that a caller does not want.
  void Skip(int count) { column_ += count; }

 private:
  void Bind(std::int64_t value);
  void Bind(int value) { Bind(static_cast<std::int64_t>(value)); }
  void Bind(bool value) { Bind(static_cast<std::int64_t>(value)); }
  void Bind(std::string_view value);
  void Bind(const std::string& value) { Bind(std::string_view(value)); }
  void Bind(const char* value) { Bind(std::string_view(value)); }
  void Bind(const Secret& value) { Bind(std::string_view(value.Reveal())); }
  void Bind(const std::optional<std::string>& value);
  void Bind(const std::optional<std::int64_t>& value);
  void Check(int result);

  Connection& connection_;
  std::string sql_;
  StatementHandle statement_;
  int parameter_ = 0;
  int column_ = 0;
};

}  // namespace certwright::store
