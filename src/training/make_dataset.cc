#include "training/make_dataset.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <vector>

#include "data/hash.h"
#include "stores/files.h"
#include "training/column_store.h"
#include "training/dataset_columns.h"
#include "training/model_dataset.h"

namespace coeval::training {

namespace {

/// So many columns are named one by one; of more with one reason their number is told.
constexpr std::size_t kNamedColumns = 9;

std::string count_of(std::size_t columns) {
  return std::to_string(columns) + (columns == 1 ? " column" : " columns");
}

// The columns of the model's latest dataset, whatever of it is left.
Result<std::optional<DatasetFacts>> last_dataset(const Workshop& shop, const define::Model& model) {
  COEVAL_ASSIGN(const auto step, shop.meta->latest_step("dataset", model.name));
  if (!step) return std::nullopt;
  auto facts = read_dataset_facts(shop.state_folder + "/" + step->output);
  if (!facts) return std::nullopt;
  return std::move(*facts);
}

std::string why(const DatasetColumn& column, const std::optional<DatasetFacts>& last) {
  if (!last) return "none is stored";
  const auto then = std::ranges::find(last->columns, column.name, &StoredColumn::name);
  if (then == last->columns.end()) return "new";
  if (then->definition != column.definition) return "definition changed";
  if (then->key != column.key) return "its data changed";
  return "its file is gone";
}

class Making {
 public:
  Making(const Workshop& shop, const define::Model& model, const StepPlan& plan)
      : shop_(shop), model_(model), columns_(dataset_columns(shop, model, plan.inputs)) {}

  // What is stored keeps its place; the rest will be in a file of its own.
  Status look(const std::string& folder) {
    COEVAL_ASSIGN(const ColumnStore store, ColumnStore::open(folder));
    const auto split = std::ranges::find(columns_, kSplitColumn, &DatasetColumn::name);
    split_key_ = split->key;
    std::string contents;
    for (const auto& column : columns_) {
      StoredColumn& wanted = stored_.emplace_back();
      wanted.name = column.name;
      wanted.definition = column.definition;
      wanted.key = column.key;
      const auto* place = store.find(column.key);
      if (place == nullptr) {
        wanted.as = column.name;
        contents += column.key + " " + column.name + "\n";
        continue;
      }
      wanted.file = place->file;
      wanted.as = place->as;
      if (column.input >= 0) wanted.differences = store.differences(column.key, split_key_);
    }
    file_ = model_.name + "-" + data::sha256_hex(contents).substr(0, 16) + ".parquet";
    for (auto& column : stored_)
      if (column.file.empty()) column.file = file_;
    return {};
  }

  Status tell() const {
    COEVAL_ASSIGN(const auto last, last_dataset(shop_, model_));
    std::map<std::string, std::vector<std::string>> made;  // by reason
    std::size_t kept = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (stored_[i].file != file_)
        ++kept;
      else
        made[why(columns_[i], last)].push_back(columns_[i].name);
    }
    for (const auto& [reason, names] : made) {
      if (names.size() > kNamedColumns) say(count_of(names.size()) + " computed (" + reason + ")");
      for (const auto& name : names)
        if (names.size() <= kNamedColumns) say("column " + name + ": computed (" + reason + ")");
    }
    if (kept > 0) say(count_of(kept) + " kept");
    return {};
  }

  Result<DatasetFacts> make(const replay::Past& past, const std::string& folder,
                            const replay::AnswerOptions& options, std::size_t checked_rows) {
    COEVAL_ASSIGN(
        DatasetFacts facts,
        write_dataset_columns(shop_.project, model_, past, shop_.formats, folder + "/" + file_,
                              options, checked_rows, std::move(stored_)));
    facts.split_key = split_key_;
    return facts;
  }

 private:
  void say(const std::string& text) const { shop_.say(model_.name + ": " + text); }

  const Workshop& shop_;
  const define::Model& model_;
  std::vector<DatasetColumn> columns_;
  std::vector<StoredColumn> stored_;  // by column
  std::string split_key_, file_;
};

}  // namespace

Result<DatasetFacts> make_dataset(const Workshop& shop, const define::Model& model,
                                  const StepPlan& plan, const replay::Past& past,
                                  const std::string& manifest, const replay::AnswerOptions& options,
                                  std::size_t checked_rows) {
  const std::string folder = stores::folder_of(manifest);
  Making making(shop, model, plan);
  COEVAL_TRY(making.look(folder));
  COEVAL_TRY(making.tell());
  return making.make(past, folder, options, checked_rows);
}

Status check_dataset(const std::string& manifest) {
  if (!manifest.ends_with(kManifestEnding))
    return fail(Code::bad_file, "'" + manifest + "' was written by an older coeval");
  COEVAL_ASSIGN(const DatasetFacts facts, read_dataset_facts(manifest));
  for (const auto& column : facts.columns) {
    const std::string path = stores::folder_of(manifest) + "/" + column.file;
    std::error_code none;
    if (!std::filesystem::is_regular_file(path, none))
      return fail(Code::no_such_file, "'" + path + "' with column '" + column.name + "' is gone");
  }
  return {};
}

}  // namespace coeval::training
