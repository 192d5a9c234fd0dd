#include "define/read_training.h"

#include <algorithm>
#include <array>

#include "base/byte_size.h"
#include "define/build.h"
#include "define/checker.h"
#include "define/external_trainer.h"
#include "define/model_metrics.h"
#include "define/read_model_kind.h"
#include "define/read_window.h"
#include "define/trainer_params.h"

namespace coeval::define {

namespace {

using Kind = TomlValue::Kind;

constexpr std::size_t kMaxSlices = 20;
constexpr double kMaxWeight = 1e9;

class OptionsReader {
 public:
  OptionsReader(TableReader& reader, const Draft& draft, Model& model, Diagnostics& errors)
      : reader_(reader),
        draft_(draft),
        model_(model),
        options_(model.training),
        errors_(errors),
        what_("model " + in_quotes(model.name)) {}

  void read() {
    options_.search.metric = validation_metric(model_);
    refuse_keys_of_binary(reader_, model_, errors_);
    const bool decides = model_.kind == ModelKind::binary;
    read_experiment();
    if (const auto* entry = reader_.take("weights")) read_weights(*entry);
    if (const auto* entry = reader_.take("class_weights"); entry && decides)
      read_class_weights(*entry);
    if (const auto* entry = reader_.take("monotone")) read_monotone(*entry);
    if (const auto* entry = reader_.take("calibration"); entry && decides) read_calibration(*entry);
    if (const auto* entry = reader_.take("threshold"); entry && decides) read_threshold(*entry);
    if (const auto* entry = reader_.take("slices")) read_slices(*entry);
    if (model_.kind == ModelKind::ranking)
      read_query();
    else if (const auto* entry = reader_.take("resample"))
      read_resample(*entry);
    if (const auto* entry = reader_.take("limits")) read_limits(*entry);
    if (const auto* entry = reader_.take("search")) read_search(*entry);
    if (model_.trainer == kExternalTrainer) refuse_of_commands();
    if (decides) check_parts();
  }

 private:
  void bad(const SourcePosition& place, std::string message, std::string advice) {
    errors_.report(Code::bad_toml_value, place, std::move(message), std::move(advice));
  }

  // What is done to the trainer or its model, which here are not ours.
  void refuse_of_commands() {
    const auto refuse = [&](bool given, const char* key, const char* why) {
      if (!given) return;
      errors_.report(Code::unsupported, reader_.where(),
                     std::string(key) + " of " + what_ + ": " + why,
                     "leave it out, or hand it to the command in params");
    };
    refuse(!options_.monotone.empty(), "monotone", "an external trainer's model is not held to it");
    refuse(options_.search.trials > 0, "search", "an external trainer's parameters are its own");
  }

  void read_experiment() {
    options_.experiment = draft_.project.name;
    const TomlEntry* entry = reader_.take("experiment");
    if (!entry || !expect_kind(*entry, Kind::string, what_, "write experiment = \"late\"", errors_))
      return;
    if (entry->value.text.empty() || entry->value.text.size() > 200)
      bad(entry->value.position, "the experiment of " + what_ + " needs a name of 1 to 200 bytes",
          "write experiment = \"late\"");
    options_.experiment = entry->value.text;
  }

  // An expression over the question's row, or null when it has errors.
  ExprPtr row_expression(const TomlValue& value) {
    if (model_.source < 0) return nullptr;
    const Source& source = draft_.project.sources[static_cast<std::size_t>(model_.source)];
    RowScope scope(source.schema, "source " + in_quotes(source.name), &draft_.project);
    return check_expression(ExpressionText::of(value), scope, errors_);
  }

  void read_weights(const TomlEntry& entry) {
    const std::string advice = "write an expression such as \"if(amount > 100, 5, 1)\"";
    if (!expect_kind(entry, Kind::string, what_, advice, errors_)) return;
    ExprPtr expr = row_expression(entry.value);
    if (!expr || expr->type == data::Type::null) return;
    if (!data::is_number(expr->type)) {
      errors_.report(Code::type_error, entry.value.position,
                     "weights of " + what_ + " must be a number, but it is " +
                         std::string(data::name(expr->type)),
                     advice);
      return;
    }
    options_.weight = std::move(expr);
  }

  void read_class_weights(const TomlEntry& entry) {
    const std::string advice =
        "write class_weights = \"balanced\" or { positive = 5, negative = 1 }";
    if (entry.value.kind == Kind::string && entry.value.text == "balanced") {
      options_.class_weights.balanced = true;
    } else if (entry.value.kind == Kind::table) {
      TableReader table(entry.value, entry.position, "class_weights of " + what_, errors_);
      auto& weights = options_.class_weights;
      weights.positive = table.number("positive", 1e-9, kMaxWeight).value_or(1);
      weights.negative = table.number("negative", 1e-9, kMaxWeight).value_or(1);
      table.finish();
    } else {
      bad(entry.value.position, "class_weights of " + what_ + " cannot be that", advice);
      return;
    }
    class_weights_ = &entry;
  }

  void read_monotone(const TomlEntry& entry) {
    const std::string advice = "write monotone = { distance = \"increasing\" }";
    if (!expect_kind(entry, Kind::table, what_, advice, errors_)) return;
    for (const auto& [input, position, value] : entry.value.entries) {
      const bool rises = value.kind == Kind::string && value.text == "increasing";
      const bool falls = value.kind == Kind::string && value.text == "decreasing";
      if (!rises && !falls) {
        bad(value.position, "monotone " + in_quotes(input) + " of " + what_ + " cannot be that",
            "write \"increasing\" or \"decreasing\"");
        continue;
      }
      options_.monotone.push_back({input, rises ? 1 : -1});
    }
  }

  void read_calibration(const TomlEntry& entry) {
    const std::string advice = "write \"auto\", \"platt\", \"isotonic\" or \"none\"";
    if (!expect_kind(entry, Kind::string, what_, advice, errors_)) return;
    constexpr std::array kAll = {Calibration::none, Calibration::automatic, Calibration::platt,
                                 Calibration::isotonic};
    const auto* found =
        std::ranges::find(kAll, entry.value.text, [](Calibration each) { return name(each); });
    if (found == kAll.end()) {
      bad(entry.value.position,
          "unknown calibration " + in_quotes(entry.value.text) + " of " + what_, advice);
      return;
    }
    options_.calibration = *found;
    calibration_ = &entry;
  }

  void read_threshold(const TomlEntry& entry) {
    if (entry.value.kind == Kind::table) {
      read_threshold_rule(entry);
    } else if (const auto number = reader_.number("threshold", 0, 1)) {
      model_.threshold = *number;
    }
  }

  void read_threshold_rule(const TomlEntry& entry) {
    const std::string advice =
        "write threshold = { cost = { false_positive = 1, false_negative = 10 } }, { precision = "
        "0.8 } or { recall = 0.9 }";
    TableReader table(entry.value, entry.position, "threshold of " + what_, errors_);
    auto& rule = options_.threshold_rule;
    const auto precision = table.number("precision", 0, 1);
    const auto recall = table.number("recall", 0, 1);
    const TomlEntry* cost = table.take("cost");
    table.finish();
    if ((precision ? 1 : 0) + (recall ? 1 : 0) + (cost ? 1 : 0) != 1) {
      bad(entry.value.position, "the threshold of " + what_ + " needs one rule", advice);
      return;
    }
    threshold_ = &entry;
    rule.kind = precision ? ThresholdRule::Kind::precision : ThresholdRule::Kind::recall;
    rule.floor = precision ? *precision : recall.value_or(0);
    if (!cost || !expect_kind(*cost, Kind::table, table.what(), advice, errors_)) return;
    rule.kind = ThresholdRule::Kind::least_cost;
    rule.floor = 0;
    TableReader costs(cost->value, cost->position, "cost of " + what_, errors_);
    rule.false_positive = costs.number("false_positive", 0, 1e12).value_or(0);
    rule.false_negative = costs.number("false_negative", 0, 1e12).value_or(0);
    costs.finish();
    if (rule.false_positive == 0 && rule.false_negative == 0)
      bad(cost->value.position, "the costs of " + what_ + " are all 0", advice);
  }

  void read_slices(const TomlEntry& entry) {
    const std::string advice = "write slices = [\"origin\", \"distance > 1000\"]";
    for (const auto* text : strings_of(entry, what_, advice, errors_)) {
      if (options_.slices.size() == kMaxSlices) {
        bad(text->position, what_ + " has more than " + std::to_string(kMaxSlices) + " slices",
            "leave some out: each is a chance to fail by luck");
        return;
      }
      if (std::ranges::count(options_.slices, text->text, &Slice::name) > 0) {
        errors_.report(Code::duplicate_name, text->position,
                       "slice " + in_quotes(text->text) + " stands twice", "name each once");
        continue;
      }
      if (ExprPtr expr = row_expression(*text)) {
        if (is_cuttable(expr->type, *text))
          options_.slices.push_back({text->text, std::move(expr)});
      }
    }
  }

  bool is_cuttable(data::Type type, const TomlValue& value) {
    const bool can = type == data::Type::string || type == data::Type::boolean ||
                     data::is_integer(type) || type == data::Type::date;
    if (!can && type != data::Type::null)
      errors_.report(Code::type_error, value.position,
                     in_quotes(value.text) + " is " + std::string(data::name(type)) +
                         ", which has too many values",
                     "a text, an integer, a date or a boolean: \"amount > 100\"");
    return can;
  }

  // What rows of a query share. Intervals draw whole queries.
  void read_query() {
    const std::string advice = "write what names a query: query = \"session\"";
    if (const auto* entry = reader_.take("resample"))
      bad(entry->position, "resample of " + what_ + ": a ranking's intervals draw its queries",
          "leave it out");
    const TomlEntry* query = reader_.require("query", advice);
    if (query == nullptr || !expect_kind(*query, Kind::string, what_, advice, errors_)) return;
    if (query->value.text != "row" && query->value.text != "day") return read_resample(*query);
    bad(query->value.position, "query of " + what_ + " must be an expression over the row", advice);
  }

  void read_resample(const TomlEntry& entry) {
    const std::string advice =
        "write \"row\", \"day\", or what rows repeat: resample = \"customer\"";
    if (!expect_kind(entry, Kind::string, what_, advice, errors_)) return;
    auto& resampling = options_.resampling;
    resampling.name = entry.value.text;
    if (entry.value.text == "row") {
      resampling.unit = Resampling::Unit::row;
    } else if (entry.value.text == "day") {
      resampling.unit = Resampling::Unit::day;
    } else if (ExprPtr expr = row_expression(entry.value)) {
      resampling.unit = Resampling::Unit::value;
      if (is_cuttable(expr->type, entry.value)) resampling.expr = std::move(expr);
    }
  }

  std::optional<std::int64_t> duration(TableReader& table, std::string_view key) {
    const TomlEntry* entry = table.take(key);
    if (!entry || !expect_kind(*entry, Kind::string, table.what(), "write \"30min\"", errors_))
      return std::nullopt;
    return read_duration(entry->value, entry->value.text, "`" + std::string(key) + "`", 1, errors_);
  }

  void read_limits(const TomlEntry& entry) {
    const std::string advice =
        "write limits = { time_budget = \"1h\", memory_limit = \"8GB\", threads = 2 }";
    if (!expect_kind(entry, Kind::table, what_, advice, errors_)) return;
    TableReader table(entry.value, entry.position, "limits of " + what_, errors_);
    auto& limits = options_.limits;
    limits.time_budget_us = duration(table, "time_budget").value_or(limits.time_budget_us);
    if (const auto memory = table.string("memory_limit")) {
      const auto bytes = parse_bytes(*memory);
      const auto& place = entry.value.find("memory_limit")->value.position;
      if (!bytes)
        bad(place, bytes.error().message, bytes.error().advice);
      else if (*bytes < 64'000'000)
        bad(place, "a trainer cannot do with less than 64MB of memory", "write \"1GB\" or more");
      else
        limits.memory_bytes = *bytes;
    }
    limits.threads = static_cast<int>(table.integer("threads", 1, 1024).value_or(0));
    table.finish();
  }

  void read_search(const TomlEntry& entry) {
    const std::string advice = "write search = { trials = 30, time_budget = \"10min\" }";
    if (!expect_kind(entry, Kind::table, what_, advice, errors_)) return;
    TableReader table(entry.value, entry.position, "search of " + what_, errors_);
    auto& search = options_.search;
    const TomlEntry* trials = table.require("trials", advice);
    if (trials) search.trials = static_cast<int>(table.integer("trials", 1, 10'000).value_or(1));
    search.time_budget_us = duration(table, "time_budget").value_or(search.time_budget_us);
    if (const auto latency = duration(table, "max_latency"))
      search.max_latency_ns = *latency * 1000;
    if (const auto metric = table.string("metric")) {
      const auto metrics = gate_metrics(model_);
      if (std::ranges::find(metrics, *metric) == metrics.end())
        bad(entry.value.find("metric")->value.position, "unknown metric " + in_quotes(*metric),
            model_.kind == ModelKind::binary       ? "write metric = \"log_loss\" or \"auc\""
            : model_.kind == ModelKind::ranking    ? "write metric = \"ndcg\" or \"map\""
            : model_.kind == ModelKind::multiclass ? "write metric = \"log_loss\" or \"macro_f1\""
                                                   : "write metric = \"rmse\" or \"mae\"");
      search.metric = *metric;
    }
    if (const auto* space = table.take("space")) read_space(*space, table.what());
    table.finish();
  }

  void read_space(const TomlEntry& entry, const std::string& what) {
    const std::string advice = "write space = { max_depth = [3, 10], eta = [0.01, 0.3] }";
    if (!expect_kind(entry, Kind::table, what, advice, errors_)) return;
    for (const auto& [param, position, value] : entry.value.entries) {
      const auto params = trainer_params(model_.trainer);
      const auto known = std::ranges::find(params, std::string_view(param), &TrainerParam::name);
      const auto number = [](const TomlValue& each) {
        return each.kind == Kind::integer ? static_cast<double>(each.integer) : each.real;
      };
      const auto is_number = [](const TomlValue& each) {
        return each.kind == Kind::integer || each.kind == Kind::real;
      };
      if (known == params.end() || !has_param(model_, *known)) {
        errors_.report(Code::unknown_toml_key, position,
                       "unknown parameter " + in_quotes(param) + " in the " + what, advice);
      } else if (value.kind != Kind::array || value.items.size() != 2 ||
                 !std::ranges::all_of(value.items, is_number) ||
                 number(value.items[0]) > number(value.items[1]) ||
                 number(value.items[0]) < known->least || number(value.items[1]) > known->most) {
        bad(value.position, "the range of " + in_quotes(param) + " in the " + what + " is none",
            advice);
      } else {
        options_.search.space.push_back({param, number(value.items[0]), number(value.items[1])});
      }
    }
  }

  // What weighs classes unequally; nothing where they are equal. Trainers have a word of their own.
  std::string class_weights_text() const {
    if (options_.class_weights.given()) return "class weights";
    const std::string param = "scale_pos_weight";
    const auto weighs = [&](const auto& given) {
      return given.first == param && given.second != "1";
    };
    const bool searched =
        std::ranges::count(options_.search.space, param, &Search::Range::param) > 0;
    return searched || std::ranges::any_of(model_.params, weighs) ? param : std::string();
  }

  // What is chosen needs rows of its own to be chosen on.
  void check_parts() {
    const Split& split = model_.split;
    const std::string weighed = class_weights_text();
    if (!weighed.empty() && options_.calibration == Calibration::none) {
      if (calibration_ != nullptr)
        bad(calibration_->value.position,
            what_ + " has " + weighed + ", whose scores are no probabilities without a calibration",
            "write calibration = \"auto\", or leave " +
                (options_.class_weights.given() ? "class_weights" : weighed) + " out");
      options_.calibration = Calibration::automatic;
    }
    if (options_.calibration != Calibration::none && split.calibrate_until_us == 0 &&
        split.test_until_us != 0)
      missing(calibration_     ? calibration_
              : class_weights_ ? class_weights_
                               : unequal_params(),
              "calibration", "calibrate_until");
    if (options_.threshold_rule.kind != ThresholdRule::Kind::fixed &&
        split.threshold_until_us == 0 && split.test_until_us != 0)
      missing(threshold_, "threshold", "threshold_until");
  }

  // Where scale_pos_weight stands.
  const TomlEntry* unequal_params() {
    const TomlEntry* params = reader_.take("params");
    const bool here = params != nullptr && params->value.find("scale_pos_weight") != nullptr;
    return here ? params : reader_.take("search");
  }

  void missing(const TomlEntry* entry, const std::string& part, const std::string& key) {
    errors_.report(
        Code::missing_toml_key, entry->position,
        "the " + part + " of " + what_ + " has no part of the split to be fitted on",
        "write " + key + " = … in split, after validate_until: rows that neither train nor test");
  }

  TableReader& reader_;
  const Draft& draft_;
  Model& model_;
  TrainingOptions& options_;
  Diagnostics& errors_;
  std::string what_;
  const TomlEntry* class_weights_ = nullptr;
  const TomlEntry* calibration_ = nullptr;
  const TomlEntry* threshold_ = nullptr;
};

}  // namespace

void read_training_options(TableReader& reader, const Draft& draft, Model& model,
                           Diagnostics& errors) {
  OptionsReader(reader, draft, model, errors).read();
}

void check_monotone(const TomlEntry* monotone, const Model& model, Diagnostics& errors) {
  if (!monotone || monotone->value.kind != Kind::table) return;
  for (const auto& entry : monotone->value.entries) {
    const auto input = std::ranges::find(model.inputs, entry.key, &Input::name);
    if (input == model.inputs.end()) {
      std::vector<std::string> names;
      for (const auto& each : model.inputs) names.push_back(each.name);
      const std::string advice = did_you_mean(entry.key, names);
      errors.report(Code::unknown_name, entry.position,
                    in_quotes(entry.key) + " is no input of model " + in_quotes(model.name),
                    advice.empty() ? "monotone names inputs as `coeval show` does" : advice);
    } else if (input->categorical) {
      errors.report(Code::type_error, entry.position,
                    "input " + in_quotes(entry.key) + " is a text, which has no order",
                    "leave it out of monotone");
    }
  }
}

}  // namespace coeval::define
