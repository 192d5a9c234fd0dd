// Metadata is four tables that only grow. What is true now is a question about the newest rows: an
// alias points where its last move put it, a step is cached if a row with its key exists. Triggers
// refuse UPDATE and DELETE, so that not even a hand at the sqlite3 prompt rewrites history by
// accident.
//
// The file's user_version is the version of this layout: 2 since a version's folder has a manifest.
// A file of layout 1 gets the new table when it is opened for writing; its versions have no
// manifest.

#include "stores/meta_store.h"

#include <utility>

#include "stores/files.h"
#include "stores/sqlite_database.h"

namespace coeval::stores {

namespace {

constexpr std::int64_t kLayoutVersion = 2;

// synchronous = FULL: a promotion that was confirmed survives a power failure.
constexpr const char* kPragmas =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA recursive_triggers = ON;";

constexpr const char* kLayout = R"sql(
CREATE TABLE model_versions (
  model TEXT NOT NULL, version INTEGER NOT NULL CHECK (version > 0), folder TEXT NOT NULL,
  ir_hash TEXT NOT NULL, dataset_id TEXT NOT NULL, recipe_id TEXT NOT NULL, bits_id TEXT NOT NULL,
  gates_passed INTEGER NOT NULL CHECK (gates_passed IN (0, 1)),
  metrics_json TEXT NOT NULL, gates_json TEXT NOT NULL, created_us INTEGER NOT NULL,
  PRIMARY KEY (model, version), UNIQUE (model, recipe_id, bits_id)) STRICT;
CREATE TABLE alias_moves (
  move INTEGER PRIMARY KEY, model TEXT NOT NULL, alias TEXT NOT NULL,
  version INTEGER NOT NULL CHECK (version >= 0), reason TEXT NOT NULL, moved_us INTEGER NOT NULL) STRICT;
CREATE INDEX alias_moves_by_alias ON alias_moves (model, alias, move);
CREATE TABLE cached_steps (
  run INTEGER PRIMARY KEY, key TEXT NOT NULL, step TEXT NOT NULL, subject TEXT NOT NULL,
  inputs_json TEXT NOT NULL, output TEXT NOT NULL, made_us INTEGER NOT NULL) STRICT;
CREATE INDEX cached_steps_by_key ON cached_steps (key, run);
CREATE INDEX cached_steps_by_subject ON cached_steps (step, subject, run);
CREATE TRIGGER model_versions_no_update BEFORE UPDATE ON model_versions
  BEGIN SELECT RAISE(ABORT, 'model_versions is append-only'); END;
CREATE TRIGGER model_versions_no_delete BEFORE DELETE ON model_versions
  BEGIN SELECT RAISE(ABORT, 'model_versions is append-only'); END;
CREATE TRIGGER alias_moves_no_update BEFORE UPDATE ON alias_moves
  BEGIN SELECT RAISE(ABORT, 'alias_moves is append-only'); END;
CREATE TRIGGER alias_moves_no_delete BEFORE DELETE ON alias_moves
  BEGIN SELECT RAISE(ABORT, 'alias_moves is append-only'); END;
CREATE TRIGGER cached_steps_no_update BEFORE UPDATE ON cached_steps
  BEGIN SELECT RAISE(ABORT, 'cached_steps is append-only'); END;
CREATE TRIGGER cached_steps_no_delete BEFORE DELETE ON cached_steps
  BEGIN SELECT RAISE(ABORT, 'cached_steps is append-only'); END;
PRAGMA user_version = 1;
)sql";

// The newest row of a version says what its folder holds.
constexpr const char* kManifests = R"sql(
CREATE TABLE model_manifests (
  entry INTEGER PRIMARY KEY, model TEXT NOT NULL, version INTEGER NOT NULL CHECK (version > 0),
  manifest_id TEXT NOT NULL, recorded_us INTEGER NOT NULL) STRICT;
CREATE INDEX model_manifests_by_version ON model_manifests (model, version, entry);
CREATE TRIGGER model_manifests_no_update BEFORE UPDATE ON model_manifests
  BEGIN SELECT RAISE(ABORT, 'model_manifests is append-only'); END;
CREATE TRIGGER model_manifests_no_delete BEFORE DELETE ON model_manifests
  BEGIN SELECT RAISE(ABORT, 'model_manifests is append-only'); END;
PRAGMA user_version = 2;
)sql";

/// Stands for the manifest of a folder that was removed: the newest row says what the folder holds.
constexpr const char* kRemoved = "removed";

constexpr const char* kSameVersion =
    "SELECT version FROM model_versions WHERE model = ? AND recipe_id = ? AND bits_id = ?";
constexpr const char* kNextVersion =
    "SELECT coalesce(max(version), 0) + 1 FROM model_versions WHERE model = ?";
constexpr const char* kInsertVersion =
    "INSERT INTO model_versions (model, version, folder, ir_hash, dataset_id, recipe_id, bits_id, "
    "gates_passed, metrics_json, gates_json, created_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kVersions =
    "SELECT model, version, folder, ir_hash, dataset_id, recipe_id, bits_id, gates_passed, "
    "metrics_json, gates_json, created_us, coalesce((SELECT manifest_id FROM model_manifests m "
    "WHERE m.model = v.model AND m.version = v.version ORDER BY entry DESC LIMIT 1), ''), "
    "coalesce((SELECT recorded_us FROM model_manifests m "
    "WHERE m.model = v.model AND m.version = v.version ORDER BY entry DESC LIMIT 1), 0) "
    "FROM model_versions v WHERE model = ? ORDER BY version";
constexpr const char* kManifest =
    "SELECT manifest_id FROM model_manifests WHERE model = ? AND version = ? "
    "ORDER BY entry DESC LIMIT 1";
constexpr const char* kInsertManifest =
    "INSERT INTO model_manifests (model, version, manifest_id, recorded_us) VALUES (?, ?, ?, ?)";
constexpr const char* kModels = "SELECT DISTINCT model FROM model_versions ORDER BY model";
constexpr const char* kVersionExists =
    "SELECT 1 FROM model_versions WHERE model = ? AND version = ?";
constexpr const char* kInsertMove =
    "INSERT INTO alias_moves (model, alias, version, reason, moved_us) VALUES (?, ?, ?, ?, ?)";
constexpr const char* kAlias =
    "SELECT version FROM alias_moves WHERE model = ? AND alias = ? ORDER BY move DESC LIMIT 1";
constexpr const char* kAliasHistory =
    "SELECT model, alias, version, reason, moved_us FROM alias_moves WHERE model = ? ORDER BY move";
constexpr const char* kInsertStep =
    "INSERT INTO cached_steps (key, step, subject, inputs_json, output, made_us) "
    "VALUES (?, ?, ?, ?, ?, ?)";
constexpr const char* kStepByKey =
    "SELECT key, step, subject, inputs_json, output, made_us FROM cached_steps WHERE key = ? "
    "ORDER BY run DESC LIMIT 1";
constexpr const char* kLatestStep =
    "SELECT key, step, subject, inputs_json, output, made_us FROM cached_steps "
    "WHERE step = ? AND subject = ? ORDER BY run DESC LIMIT 1";

ModelVersion version_row(Statement& row) {
  ModelVersion version;
  version.model = row.text();
  version.version = static_cast<int>(row.integer());
  version.folder = row.text();
  version.ir_hash = row.text();
  version.dataset_id = row.text();
  version.recipe_id = row.text();
  version.bits_id = row.text();
  version.gates_passed = row.integer() != 0;
  version.metrics_json = row.text();
  version.gates_json = row.text();
  version.created_us = row.integer();
  version.manifest_id = row.text();
  const std::int64_t recorded_us = row.integer();
  if (version.manifest_id != kRemoved) return version;
  version.manifest_id.clear();
  version.removed_us = recorded_us;
  return version;
}

AliasMove move_row(Statement& row) {
  AliasMove move;
  move.model = row.text();
  move.alias = row.text();
  move.version = static_cast<int>(row.integer());
  move.reason = row.text();
  move.moved_us = row.integer();
  return move;
}

CachedStep step_row(Statement& row) {
  CachedStep step;
  step.key = row.text();
  step.step = row.text();
  step.subject = row.text();
  step.inputs_json = row.text();
  step.output = row.text();
  step.made_us = row.integer();
  return step;
}

template <class Row>
Result<std::vector<Row>> all_rows(Statement& query, Row (*read)(Statement&)) {
  std::vector<Row> rows;
  for (;;) {
    COEVAL_ASSIGN(const bool more, query.step());
    if (!more) return rows;
    rows.push_back(read(query));
  }
}

template <class Row>
Result<std::optional<Row>> first_row(Statement& query, Row (*read)(Statement&)) {
  COEVAL_ASSIGN(const bool found, query.step());
  if (!found) return std::nullopt;
  return read(query);
}

int version_number(Statement& row) { return static_cast<int>(row.integer()); }
std::string first_text(Statement& row) { return row.text(); }

class SqliteMetaStore final : public MetaStore {
 public:
  explicit SqliteMetaStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  Status prepare_layout() {
    COEVAL_TRY(database_->execute(kPragmas));
    COEVAL_ASSIGN(auto transaction, Transaction::begin(*database_));
    COEVAL_ASSIGN(const std::int64_t found, layout_version());
    if (found == 0) COEVAL_TRY(database_->execute(kLayout));
    if (found < 2) COEVAL_TRY(database_->execute(kManifests));
    if (found > kLayoutVersion)
      return fail(Code::unsupported,
                  "the metadata database has layout " + std::to_string(found) +
                      "; this version reads up to " + std::to_string(kLayoutVersion),
                  "use the version of coeval that wrote it, or a newer one");
    return transaction.commit();
  }

  Status refuse_writes() { return database_->execute("PRAGMA query_only = ON"); }

  Result<int> register_version(ModelVersion version) override {
    COEVAL_ASSIGN(auto transaction, Transaction::begin(*database_));
    COEVAL_ASSIGN(const auto same, same_version(version));
    if (same) {
      version.version = *same;
    } else {
      COEVAL_ASSIGN(version.version, next_version(version.model));
      COEVAL_TRY(insert(version));
    }
    COEVAL_TRY(record_manifest(version));
    COEVAL_TRY(transaction.commit());
    return version.version;
  }

  Status note_removed(const std::string& model, int version, std::int64_t removed_us) override {
    COEVAL_ASSIGN(auto transaction, Transaction::begin(*database_));
    COEVAL_TRY(must_exist(model, version));
    COEVAL_TRY(insert_manifest(model, version, kRemoved, removed_us));
    return transaction.commit();
  }

  Result<std::vector<ModelVersion>> versions(const std::string& model) override {
    COEVAL_ASSIGN(auto query, database_->prepare(kVersions));
    query.bind(model);
    return all_rows(query, version_row);
  }

  Result<std::vector<std::string>> models() override {
    COEVAL_ASSIGN(auto query, database_->prepare(kModels));
    return all_rows(query, first_text);
  }

  Status move_alias(const AliasMove& move) override {
    COEVAL_TRY(check_alias_name(move.alias));
    COEVAL_ASSIGN(auto transaction, Transaction::begin(*database_));
    if (move.version != 0) COEVAL_TRY(must_exist(move.model, move.version));
    {
      COEVAL_ASSIGN(auto insert_move, database_->prepare(kInsertMove));
      insert_move.bind(move.model).bind(move.alias).bind(move.version);
      COEVAL_TRY(insert_move.bind(move.reason).bind(move.moved_us).run());
    }
    return transaction.commit();
  }

  Result<std::optional<int>> alias(const std::string& model, const std::string& alias) override {
    COEVAL_ASSIGN(auto query, database_->prepare(kAlias));
    query.bind(model).bind(alias);
    COEVAL_ASSIGN(const auto version, first_row(query, version_number));
    return version && *version != 0 ? version : std::nullopt;
  }

  Result<std::vector<AliasMove>> alias_history(const std::string& model) override {
    COEVAL_ASSIGN(auto query, database_->prepare(kAliasHistory));
    query.bind(model);
    return all_rows(query, move_row);
  }

  Status put_step(const CachedStep& step) override {
    COEVAL_ASSIGN(auto insert_step, database_->prepare(kInsertStep));
    insert_step.bind(step.key).bind(step.step).bind(step.subject);
    return insert_step.bind(step.inputs_json).bind(step.output).bind(step.made_us).run();
  }

  Result<std::optional<CachedStep>> find_step(const std::string& key) override {
    COEVAL_ASSIGN(auto query, database_->prepare(kStepByKey));
    query.bind(key);
    return first_row(query, step_row);
  }

  Result<std::optional<CachedStep>> latest_step(const std::string& step,
                                                const std::string& subject) override {
    COEVAL_ASSIGN(auto query, database_->prepare(kLatestStep));
    query.bind(step).bind(subject);
    return first_row(query, step_row);
  }

 private:
  Result<std::int64_t> layout_version() {
    COEVAL_ASSIGN(auto query, database_->prepare("PRAGMA user_version"));
    COEVAL_TRY(query.run());
    return query.integer();
  }

  Result<std::optional<int>> same_version(const ModelVersion& version) {
    COEVAL_ASSIGN(auto query, database_->prepare(kSameVersion));
    query.bind(version.model).bind(version.recipe_id).bind(version.bits_id);
    return first_row(query, version_number);
  }

  Result<int> next_version(const std::string& model) {
    COEVAL_ASSIGN(auto query, database_->prepare(kNextVersion));
    COEVAL_TRY(query.bind(model).run());
    return version_number(query);
  }

  Status insert(const ModelVersion& version) {
    COEVAL_ASSIGN(auto statement, database_->prepare(kInsertVersion));
    statement.bind(version.model).bind(version.version).bind(version.folder);
    statement.bind(version.ir_hash).bind(version.dataset_id).bind(version.recipe_id);
    statement.bind(version.bits_id).bind(version.gates_passed).bind(version.metrics_json);
    return statement.bind(version.gates_json).bind(version.created_us).run();
  }

  Status record_manifest(const ModelVersion& version) {
    if (version.manifest_id.empty()) return {};
    {
      COEVAL_ASSIGN(auto query, database_->prepare(kManifest));
      query.bind(version.model).bind(version.version);
      COEVAL_ASSIGN(const auto newest, first_row<std::string>(query, first_text));
      if (newest == version.manifest_id) return {};
    }
    return insert_manifest(version.model, version.version, version.manifest_id, version.created_us);
  }

  Status insert_manifest(const std::string& model, int version, std::string_view manifest_id,
                         std::int64_t recorded_us) {
    COEVAL_ASSIGN(auto statement, database_->prepare(kInsertManifest));
    return statement.bind(model).bind(version).bind(manifest_id).bind(recorded_us).run();
  }

  Status must_exist(const std::string& model, int version) {
    COEVAL_ASSIGN(auto query, database_->prepare(kVersionExists));
    COEVAL_ASSIGN(const bool found, query.bind(model).bind(version).step());
    if (found) return {};
    return fail(Code::unknown_model,
                "model '" + model + "' has no version " + std::to_string(version),
                "`coeval show " + model + "` lists its versions");
  }

  std::unique_ptr<Database> database_;
};

Result<std::unique_ptr<MetaStore>> open_sqlite(const std::string& path) {
  COEVAL_ASSIGN(auto database, Database::open(path));
  auto store = std::make_unique<SqliteMetaStore>(std::move(database));
  COEVAL_TRY(store->prepare_layout());
  return store;
}

}  // namespace

Result<std::unique_ptr<MetaStore>> open_meta_store(const std::string& path) {
  COEVAL_TRY(make_folders(folder_of(path)));
  return open_sqlite(path);
}

Result<std::unique_ptr<MetaStore>> open_meta_store_for_reading(const std::string& path) {
  COEVAL_ASSIGN(auto database, Database::copy_of(path));
  auto store = std::make_unique<SqliteMetaStore>(std::move(database));
  auto prepared = store->prepare_layout();
  if (!prepared)
    return std::unexpected(std::move(prepared).error().within("while reading '" + path + "'"));
  COEVAL_TRY(store->refuse_writes());
  return store;
}

Status check_alias_name(std::string_view alias) {
  constexpr std::size_t kLongest = 64;
  constexpr std::string_view kBytes = "abcdefghijklmnopqrstuvwxyz0123456789_-";
  if (!alias.empty() && alias.size() <= kLongest &&
      alias.find_first_not_of(kBytes) == std::string_view::npos)
    return {};
  return fail(Code::usage,
              "not a name for an alias: '" + std::string(alias.substr(0, kLongest)) +
                  (alias.size() > kLongest ? "…'" : "'"),
              "an alias has 1 to 64 of a-z, 0-9, _ and -, such as champion");
}

Result<std::unique_ptr<MetaStore>> make_memory_meta_store() { return open_sqlite(":memory:"); }

}  // namespace coeval::stores
