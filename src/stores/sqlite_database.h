#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace coeval::stores {

/// A prepared statement in use: bind in order, step, read columns in order. Resets itself when
/// dropped.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  /// Each binds the next parameter. Texts must live until the statement is dropped.
  Statement& bind(std::string_view text);
  Statement& bind(std::int64_t number);
  Statement& bind(int number) { return bind(static_cast<std::int64_t>(number)); }
  Statement& bind(bool value) { return bind(static_cast<std::int64_t>(value)); }
  /// A NaN becomes NULL: SQLite has none.
  Statement& bind(double number);

  /// True when there is a row. Errors: metadata, disk_full.
  Result<bool> step();
  /// Steps a statement that gives no rows.
  Status run();

  /// Each reads the next column of the row.
  std::string text();
  std::int64_t integer();
  double real();  ///< NaN of NULL

 private:
  sqlite3_stmt* statement_;
  int parameter_ = 0, column_ = 0;
  int bind_failure_ = 0;
};

/// One connection. Threading: one thread.
class Database {
 public:
  /// Opens or makes a file; ":memory:" for none. Errors: metadata, disk_full.
  static Result<std::unique_ptr<Database>> open(const std::string& path);
  /// A private copy in memory of what the file holds now, committed transactions of its write-ahead
  /// log included; an empty database when there is no file. Asks for permission to read only, makes
  /// and changes no file, whichever other process has it open. Errors: metadata, io.
  static Result<std::unique_ptr<Database>> copy_of(const std::string& path);
  /// For a file in SQLite's rollback journal, whatever its size: reads it in place under a shared
  /// lock, makes no file and changes none; but the rest of a transaction that was cut by a crash is
  /// undone, for which permission to write is needed. An empty database when there is no file.
  /// Errors: metadata.
  static Result<std::unique_ptr<Database>> open_for_reading(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs statements that give no rows and take no parameters.
  Status execute(const char* sql);
  /// Prepares once and keeps the statement: `sql` must be a literal. Two uses of one literal must
  /// not overlap in time.
  Result<Statement> prepare(const char* sql);

 private:
  struct Parts;
  explicit Database(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// BEGIN IMMEDIATE … COMMIT; rolls back when dropped before commit().
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Status commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace coeval::stores
