#include "stores/sqlite_database.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "stores/files.h"

namespace coeval::stores {

namespace {

constexpr int kBusyTimeoutMs = 10'000;
constexpr std::uint64_t kMaxCopyBytes = 1ull << 30;
constexpr int kCopyTries = 10;

struct SqliteAdvice {
  int code;
  Code as;
  const char* advice;
};
constexpr SqliteAdvice kSqliteAdvice[] = {
    {SQLITE_FULL, Code::disk_full, "make room on the disk and try again"},
    {SQLITE_BUSY, Code::metadata, "another coeval process is writing; try again"},
    {SQLITE_CORRUPT, Code::metadata, "the database is damaged: restore it from a backup"},
    {SQLITE_NOTADB, Code::metadata, "the file is not a database: restore it from a backup"},
    {SQLITE_CANTOPEN, Code::metadata, "check that the folder exists and its permissions"},
    {SQLITE_READONLY, Code::metadata, "check the permissions of the file and its folder"},
};

Error sqlite_error(int code, const std::string& path, const char* said) {
  Error error{Code::metadata, "the metadata database '" + path + "' refused: " + said, {}, {}, {}};
  for (const auto& row : kSqliteAdvice) {
    if (row.code != (code & 0xff)) continue;  // the low byte is the primary code
    error.code = row.as;
    error.advice = row.advice;
  }
  return error;
}

std::string file_of(sqlite3* connection) {
  const char* path = sqlite3_db_filename(connection, "main");
  return path != nullptr && *path != '\0' ? path : ":memory:";
}

std::unexpected<Error> last_error(sqlite3* connection, int code) {
  return std::unexpected(sqlite_error(code, file_of(connection), sqlite3_errmsg(connection)));
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)),
      parameter_(other.parameter_),
      column_(other.column_),
      bind_failure_(other.bind_failure_) {}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Statement& Statement::bind(std::string_view text) {
  // A null pointer would bind NULL; an empty view may carry one.
  const char* bytes = text.data() != nullptr ? text.data() : "";
  const int code =
      sqlite3_bind_text64(statement_, ++parameter_, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) bind_failure_ = code;
  return *this;
}

Statement& Statement::bind(std::int64_t number) {
  const int code = sqlite3_bind_int64(statement_, ++parameter_, number);
  if (code != SQLITE_OK) bind_failure_ = code;
  return *this;
}

Statement& Statement::bind(double number) {
  const int code = sqlite3_bind_double(statement_, ++parameter_, number);
  if (code != SQLITE_OK) bind_failure_ = code;
  return *this;
}

Result<bool> Statement::step() {
  const int code = bind_failure_ != 0 ? bind_failure_ : sqlite3_step(statement_);
  column_ = 0;
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return last_error(sqlite3_db_handle(statement_), code);
}

Status Statement::run() {
  COEVAL_TRY(step());
  return {};
}

std::string Statement::text() {
  const int column = column_++;
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::int64_t Statement::integer() { return sqlite3_column_int64(statement_, column_++); }

double Statement::real() {
  const int column = column_++;
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL)
    return std::numeric_limits<double>::quiet_NaN();
  return sqlite3_column_double(statement_, column);
}

struct Database::Parts {
  sqlite3* connection = nullptr;
  std::map<const char*, sqlite3_stmt*> statements;

  ~Parts() {
    for (const auto& [sql, statement] : statements) sqlite3_finalize(statement);
    sqlite3_close(connection);
  }
};

Database::Database(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  auto parts = std::make_unique<Parts>();
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &parts->connection, flags, nullptr);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(code, path, sqlite3_errstr(code)));
  sqlite3_busy_timeout(parts->connection, kBusyTimeoutMs);
  return std::unique_ptr<Database>(new Database(std::move(parts)));
}

namespace {

/// What tells whether a file was written to; nothing when there is none.
std::optional<struct stat> look_at(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return found;
}

bool unchanged(const struct stat& before, const struct stat& after) {
  return before.st_ino == after.st_ino && before.st_size == after.st_size &&
         before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
         before.st_mtim.tv_nsec == after.st_mtim.tv_nsec;
}

bool has_write_ahead_log(const std::string& path) {
  const auto log = look_at(path + "-wal");
  return log && log->st_size > 0;
}

/// Puts the bytes of a whole database into an empty connection.
Status fill(sqlite3* into, const std::string& bytes, const std::string& path) {
  if (bytes.empty()) return {};
  auto* copy = static_cast<unsigned char*>(sqlite3_malloc64(bytes.size()));
  if (copy == nullptr) return std::unexpected(sqlite_error(SQLITE_NOMEM, path, "out of memory"));
  std::memcpy(copy, bytes.data(), bytes.size());
  // Memory has no write-ahead log: sqlite3_deserialize() asks for versions 1 (a rollback journal).
  constexpr std::size_t kWriteVersion = 18, kReadVersion = 19;
  if (bytes.size() > kReadVersion) copy[kWriteVersion] = copy[kReadVersion] = 1;
  const auto size = static_cast<sqlite3_int64>(bytes.size());
  const int code =
      sqlite3_deserialize(into, "main", copy, size, size,
                          SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(code, path, sqlite3_errstr(code)));
  return {};
}

/// Copies by way of SQLite's own locks: for a file whose write-ahead log holds transactions.
Status copy_pages(sqlite3* into, const std::string& path) {
  sqlite3* from = nullptr;
  int code =
      sqlite3_open_v2(path.c_str(), &from, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code == SQLITE_OK) {
    sqlite3_busy_timeout(from, kBusyTimeoutMs);
    sqlite3_backup* backup = sqlite3_backup_init(into, "main", from, "main");
    if (backup != nullptr) sqlite3_backup_step(backup, -1);
    code = backup != nullptr ? sqlite3_backup_finish(backup) : sqlite3_errcode(into);
  }
  sqlite3_close(from);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(code, path, sqlite3_errstr(code)));
  return {};
}

/// Reads a file that nobody writes to: while its write-ahead log is empty, only a checkpoint does,
/// and that is seen by the file's times.
Status copy_quiet_file(sqlite3* into, const std::string& path) {
  for (int attempt = 0; attempt < kCopyTries && !has_write_ahead_log(path); ++attempt) {
    const auto before = look_at(path);
    if (!before) return {};
    COEVAL_ASSIGN(const std::string bytes, read_file(path, kMaxCopyBytes));
    const auto after = look_at(path);
    if (after && unchanged(*before, *after) && !has_write_ahead_log(path))
      return fill(into, bytes, path);
  }
  return copy_pages(into, path);
}

}  // namespace

Result<std::unique_ptr<Database>> Database::copy_of(const std::string& path) {
  COEVAL_ASSIGN(auto copy, open(":memory:"));
  if (!look_at(path)) return copy;
  sqlite3* into = copy->parts_->connection;
  COEVAL_TRY(copy_quiet_file(into, path));
  // A file that is no database is found here, where its name is known.
  const int code =
      sqlite3_exec(into, "SELECT count(*) FROM sqlite_schema", nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(code, path, sqlite3_errmsg(into)));
  return copy;
}

Result<std::unique_ptr<Database>> Database::open_for_reading(const std::string& path) {
  if (!look_at(path)) return open(":memory:");
  auto parts = std::make_unique<Parts>();
  // A journal that nobody holds is rolled back by whoever reads first, if it may write.
  const int mode = look_at(path + "-journal") ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  int code = sqlite3_open_v2(path.c_str(), &parts->connection, mode | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(code, path, sqlite3_errstr(code)));
  sqlite3_busy_timeout(parts->connection, kBusyTimeoutMs);
  code = sqlite3_exec(parts->connection, "SELECT count(*) FROM sqlite_schema", nullptr, nullptr,
                      nullptr);
  if (code != SQLITE_OK) return last_error(parts->connection, code);
  return std::unique_ptr<Database>(new Database(std::move(parts)));
}

Status Database::execute(const char* sql) {
  const int code = sqlite3_exec(parts_->connection, sql, nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return {};
  return last_error(parts_->connection, code);
}

Result<Statement> Database::prepare(const char* sql) {
  auto& statement = parts_->statements[sql];
  if (statement == nullptr) {
    const int code = sqlite3_prepare_v3(parts_->connection, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                        &statement, nullptr);
    if (code != SQLITE_OK) return last_error(parts_->connection, code);
  }
  return Statement(statement);
}

Result<Transaction> Transaction::begin(Database& database) {
  COEVAL_TRY(database.execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  if (database_ != nullptr) static_cast<void>(database_->execute("ROLLBACK"));
}

Status Transaction::commit() {
  COEVAL_TRY(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace coeval::stores
