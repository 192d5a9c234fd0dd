#include "define/trainer_params.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>

#include "define/external_trainer.h"
#include "define/table_reader.h"

namespace coeval::define {

namespace {

using Kind = TomlValue::Kind;

// XGBoost's own defaults, spelled out: a change of them in a later XGBoost then changes nothing
// here.
// clang-format off
constexpr std::array kXgboost = {
    TrainerParam{"alpha", "reg_alpha", "0", false, 0, 1e12},
    TrainerParam{"colsample_bylevel", "", "1", false, 1e-6, 1},
    TrainerParam{"colsample_bynode", "", "1", false, 1e-6, 1},
    TrainerParam{"colsample_bytree", "", "1", false, 1e-6, 1},
    TrainerParam{"eta", "learning_rate", "0.3", false, 1e-9, 1},
    TrainerParam{"gamma", "min_split_loss", "0", false, 0, 1e12},
    TrainerParam{"lambda", "reg_lambda", "1", false, 0, 1e12},
    TrainerParam{"max_bin", "", "256", true, 2, 65536},
    TrainerParam{"max_delta_step", "", "0", false, 0, 1e12},
    TrainerParam{"max_depth", "", "6", true, 1, 20},
    TrainerParam{"min_child_weight", "", "1", false, 0, 1e12},
    TrainerParam{"scale_pos_weight", "", "1", false, 1e-9, 1e9},
    TrainerParam{"subsample", "", "1", false, 1e-6, 1},
};
// LightGBM's, by its own names.
constexpr std::array kLightgbm = {
    TrainerParam{"bagging_fraction", "subsample", "1", false, 1e-6, 1},
    TrainerParam{"bagging_freq", "subsample_freq", "0", true, 0, 1e6},
    TrainerParam{"feature_fraction", "colsample_bytree", "1", false, 1e-6, 1},
    TrainerParam{"feature_fraction_bynode", "colsample_bynode", "1", false, 1e-6, 1},
    TrainerParam{"lambda_l1", "reg_alpha", "0", false, 0, 1e12},
    TrainerParam{"lambda_l2", "reg_lambda", "0", false, 0, 1e12},
    TrainerParam{"learning_rate", "eta", "0.1", false, 1e-9, 1},
    TrainerParam{"max_bin", "", "255", true, 2, 65536},
    TrainerParam{"max_delta_step", "", "0", false, 0, 1e12},
    TrainerParam{"max_depth", "", "-1", true, -1, 1000},
    TrainerParam{"min_data_in_leaf", "min_child_samples", "20", true, 0, 1e9},
    TrainerParam{"min_gain_to_split", "min_split_gain", "0", false, 0, 1e12},
    TrainerParam{"min_sum_hessian_in_leaf", "min_child_weight", "0.001", false, 0, 1e12},
    TrainerParam{"num_leaves", "max_leaves", "31", true, 2, 131072},
    TrainerParam{"path_smooth", "", "0", false, 0, 1e12},
    TrainerParam{"scale_pos_weight", "", "1", false, 1e-9, 1e9},
};
// Ours. The penalties are of all rows together, as XGBoost's lambda is.
constexpr std::array kLinear = {
    TrainerParam{"l1", "", "0", false, 0, 1e12},
    TrainerParam{"l2", "", "1", false, 0, 1e12},
    TrainerParam{"max_iterations", "", "100", true, 1, 100000},
    TrainerParam{"tolerance", "", "1e-10", false, 1e-15, 1},
};
// clang-format on
constexpr std::int64_t kMaxRounds = 100'000;

// 0.1, 6, 1e+20: the shortest text that reads back to the same number.
std::string number_text(double value) {
  std::array<char, 32> buffer{};
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr};
}

void read_param(const TrainerParam& param, std::string_view key, TableReader& reader,
                std::string& value) {
  if (param.whole) {
    const auto whole = reader.integer(key, static_cast<std::int64_t>(param.least),
                                      static_cast<std::int64_t>(param.most));
    if (whole) value = std::to_string(*whole);
  } else if (const auto number = reader.number(key, param.least, param.most)) {
    value = number_text(*number);
  }
}

// The one tree method that is bit-equal on any number of threads.
void read_tree_method(TableReader& reader, const TomlValue& table, Diagnostics& errors) {
  const auto method = reader.string("tree_method");
  if (method && *method != "hist")
    errors.report(Code::unsupported, table.find("tree_method")->value.position,
                  "tree_method " + in_quotes(*method) + " is not in this version",
                  "write \"hist\"");
}

void refuse_rounds(TableReader& reader, Diagnostics& errors) {
  for (const char* key : {"rounds", "early_stopping_rounds"})
    if (const TomlEntry* entry = reader.take(key))
      errors.report(Code::bad_toml_value, entry->position,
                    in_quotes(key) + " of " + reader.what() + ": a linear model has no rounds",
                    "write max_iterations = 100, or leave it out");
}

void refuse_param(const TrainerParam& param, TableReader& reader, Diagnostics& errors) {
  if (const TomlEntry* entry = reader.take(param.name))
    errors.report(Code::bad_toml_value, entry->position,
                  in_quotes(param.name) + " of " + reader.what() + ": it weighs one class of two",
                  "leave it out; weights = \"…\" of the model says what a row counts");
}

void read_table(const TomlEntry& entry, Model& model, std::map<std::string, std::string>& values,
                Diagnostics& errors) {
  TableReader reader(entry.value, entry.position, "params of model " + in_quotes(model.name),
                     errors);
  for (const auto& param : trainer_params(model.trainer)) {
    if (!has_param(model, param)) {
      refuse_param(param, reader, errors);
      continue;
    }
    std::string& value = values[std::string(param.name)];
    read_param(param, param.name, reader, value);
    if (param.alias.empty()) continue;
    if (entry.value.find(param.name) && entry.value.find(param.alias))
      errors.report(Code::duplicate_name, entry.value.find(param.alias)->position,
                    in_quotes(param.alias) + " is another name of " + in_quotes(param.name),
                    "write one of them");
    read_param(param, param.alias, reader, value);
  }
  if (!trains_in_rounds(model.trainer)) {
    refuse_rounds(reader, errors);
    return reader.finish();
  }
  model.rounds = static_cast<int>(reader.integer("rounds", 1, kMaxRounds).value_or(model.rounds));
  model.early_stopping_rounds =
      static_cast<int>(reader.integer("early_stopping_rounds", 0, kMaxRounds).value_or(0));
  if (model.trainer == "lightgbm") {
    reader.later({"objective", "boosting", "linear_tree", "extra_trees"});
  } else {
    read_tree_method(reader, entry.value, errors);
    reader.later({"grow_policy", "max_leaves", "objective", "booster", "num_parallel_tree"});
  }
  reader.finish();
}

}  // namespace

std::span<const TrainerParam> trainer_params(std::string_view trainer) {
  if (trainer == "lightgbm") return kLightgbm;
  if (trainer == "linear") return kLinear;
  if (trainer == kExternalTrainer) return {};
  return kXgboost;
}

bool has_param(const Model& model, const TrainerParam& param) {
  return model.kind == ModelKind::binary || param.name != "scale_pos_weight";
}

bool trains_in_rounds(std::string_view trainer) {
  return trainer != "linear" && trainer != kExternalTrainer;
}

void read_trainer_params(const TomlEntry* entry, Model& model, Diagnostics& errors) {
  if (model.trainer == kExternalTrainer) return read_external_params(entry, model, errors);
  std::map<std::string, std::string> values;
  for (const auto& param : trainer_params(model.trainer))
    if (has_param(model, param)) values.emplace(param.name, param.value);
  if (model.trainer != "lightgbm" && model.trainer != "linear")
    values.emplace("tree_method", "hist");
  const std::string what = "model " + in_quotes(model.name);
  if (entry &&
      expect_kind(*entry, Kind::table, what, "write [model." + model.name + ".params]", errors))
    read_table(*entry, model, values, errors);
  model.params.assign(values.begin(), values.end());
  if (model.trainer == "linear") model.rounds = std::stoi(values["max_iterations"]);
}

}  // namespace coeval::define
