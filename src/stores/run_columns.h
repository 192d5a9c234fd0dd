#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "stores/run_store.h"
#include "stores/sqlite_database.h"

namespace coeval::stores {

/// Where a field of a query is kept.
struct RunField {
  enum class Kind : std::uint8_t { number, time, text, param, tag, id };
  Kind kind = Kind::number;
  std::string stored;  ///< its name in the table of fields; of `tag` the prefix
  bool is_number() const { return kind == Kind::number || kind == Kind::time; }
};
/// "test.auc" → number "metrics.test.auc". Every name is some field; whether runs have it is not
/// asked.
RunField run_field(const std::string& name);
/// The other way: what a person calls a stored field.
std::string shown_run_field(const std::string& stored);
/// Whether a field need not be of any run to be named.
bool is_fixed_run_field(const std::string& name);

/// Values of a number by run; place 0 is of none.
struct NumberColumn {
  std::vector<double> values;
  std::vector<bool> present;
};
/// Texts by run: −1 for none, else a place in `words`, which are distinct.
struct TextColumn {
  std::vector<std::int32_t> values;
  std::vector<std::string> words;
};

/// Columns of a database of runs, each read once, when it is first asked for.
/// Threading: one thread. The references stay good as long as it lives.
class RunColumns {
 public:
  /// `runs`: the number of the newest.
  RunColumns(Database& database, std::int64_t runs) : database_(database), runs_(runs) {}

  std::int64_t runs() const { return runs_; }
  Result<const NumberColumn*> numbers(const RunField& field);
  Result<const TextColumn*> texts(const RunField& field);
  /// By run, whether it has that tag.
  Result<std::vector<bool>> tagged(const std::string& tag);
  /// One value by itself. The state of a run without an end is by whether its process lives.
  Result<RunValue> value(const RunField& field, std::int64_t run);

 private:
  Result<std::optional<std::int64_t>> field_number(const std::string& stored);
  Status read_numbers(const RunField& field, NumberColumn& column);
  Status read_texts(const RunField& field, TextColumn& column);
  Status read_ids(TextColumn& column);
  Status add_open_states(TextColumn& column);
  Result<std::string> word(std::int64_t text);
  Result<std::string> open_state(std::int64_t run);
  Result<RunValue> none(const RunField& field, std::int64_t run);

  Database& database_;
  std::int64_t runs_;
  std::map<std::string, NumberColumn> numbers_;
  std::map<std::string, TextColumn> texts_;
  std::map<std::string, bool> alive_;  // by mark
};

/// By run, whether a filter holds; place 0 is of none. Errors: those of RunStore::query.
Result<std::vector<bool>> evaluate(const RunFilter& filter, RunColumns& columns);

/// The first `limit` of `runs` by a field: see RunQuery. Errors: metadata.
Result<std::vector<std::int64_t>> sorted_runs(std::vector<std::int64_t> runs, const RunField& field,
                                              bool ascending, std::int64_t limit,
                                              RunColumns& columns);

}  // namespace coeval::stores
