#include "define/json_schema.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "define/aggregates.h"
#include "define/functions.h"
#include "define/model_metrics.h"
#include "define/split_and_gates.h"
#include "define/trainer_params.h"

namespace coeval::define {

namespace {

using data::Json;
using Members = std::initializer_list<std::pair<std::string, Json>>;

Json object(Members members) {
  Json json{Json::Object{}};
  for (const auto& [key, value] : members) json.set(key, value);
  return json;
}

Json array(std::initializer_list<Json> elements) {
  Json json{Json::Array{}};
  for (const Json& element : elements) json.push(element);
  return json;
}

Json described(Json schema, std::string_view text) {
  schema.set("description", text);
  return schema;
}

Json of_type(std::string_view type, std::string_view text) {
  return object({{"type", type}, {"description", text}});
}
Json text(std::string_view about) { return of_type("string", about); }

Json within(Json schema, double least, double most) {
  schema.set("minimum", least);
  schema.set("maximum", most);
  return schema;
}

Json not_empty(Json list) {
  list.set("minItems", 1);
  return list;
}

Json reference(std::string_view definition) {
  return object({{"$ref", "#/definitions/" + std::string(definition)}});
}

Json one_of_texts(std::initializer_list<const char*> choices, std::string_view about) {
  Json values{Json::Array{}};
  for (const char* choice : choices) values.push(choice);
  return object({{"enum", std::move(values)}, {"description", about}});
}

Json list_of(Json item, std::string_view about) {
  return object({{"type", "array"}, {"items", std::move(item)}, {"description", about}});
}

// A table with these keys only.
Json table(Json properties, std::initializer_list<const char*> required, std::string_view about) {
  Json names{Json::Array{}};
  for (const char* name : required) names.push(name);
  Json json = object({{"type", "object"},
                      {"description", about},
                      {"properties", std::move(properties)},
                      {"additionalProperties", false}});
  if (required.size() > 0) json.set("required", std::move(names));
  return json;
}

// A table whose keys are names of the user's.
Json named(Json each, std::string_view about) {
  return object(
      {{"type", "object"}, {"description", about}, {"additionalProperties", std::move(each)}});
}

Json any_of(std::initializer_list<Json> choices) { return object({{"anyOf", array(choices)}}); }

std::string all_functions() {
  std::string list;
  for (const auto& function : functions())
    list += "\n" + std::string(function.signature) + ": " + std::string(function.doc) + " (" +
            std::string(function.example) + " = " + std::string(function.expected) + ")";
  return list;
}

std::string all_aggregates() {
  std::string list;
  for (const auto& aggregate : aggregate_functions())
    list += "\n" + std::string(aggregate.signature) + ": " + std::string(aggregate.doc);
  return list;
}

Json inputs() {
  Json date_parts{Json::Array{}};
  for (const auto& function : functions())
    if (is_date_part(function))
      date_parts.push(
          object({{"const", function.name},
                  {"description", std::string(function.doc) + ", of the question's time"}}));
  return list_of(object({{"anyOf", array({object({{"oneOf", std::move(date_parts)}}),
                                          reference("expression")})}}),
                 "Features, columns, view features, globs over them (\"origin.*\"), date parts of "
                 "the question's time by their bare name, or expressions.");
}

constexpr double kMostCount = 9e15;
Json count(std::string_view about) { return within(of_type("integer", about), 0, kMostCount); }

Json column() {
  const auto bound = [](std::string_view about) {
    return object({{"type", array({"number", "string"})}, {"description", about}});
  };
  Json properties = object({
      {"type", reference("type")},
      {"nullable", of_type("boolean", "Whether a row without a value is good.")},
      {"known",
       described(reference("expression"), "When the column is known, if not with its row.")},
      {"json", text("Where in a string column of JSON text the value is taken from: "
                    "payload.items[0].price")},
      {"min", bound("The least value, of numbers and times.")},
      {"max", bound("The greatest value, of numbers and times.")},
      {"pattern", text("RE2; the whole text must match.")},
      {"enum", list_of(of_type("string", "A text."), "The texts that are allowed.")},
      {"min_length", count("The least number of characters, of strings.")},
      {"max_length", count("The greatest number of characters, of strings.")},
      {"finite", of_type("boolean", "Of floats: whether NaN and infinities are bad; true.")},
      {"max_ahead", described(reference("duration"),
                              "How much later a time may be than when its row was known.")},
      {"severity",
       any_of({reference("severity"),
               named(reference("severity"), "The severity of single rules: { max = \"warn\" }.")})},
      {"environments", not_empty(list_of(one_of_texts({"train", "serve"}, "Files, or a server."),
                                         "Where the column is; elsewhere it may be absent."))},
      {"pii",
       of_type("boolean",
               "Whether it is personal: masked in samples. Nobody asks about a column that says.")},
  });
  return any_of({reference("type"), table(std::move(properties), {"type"}, "A column.")});
}

// A check of a kind: its own key, what belongs to it, and what every check may have.
struct CheckForm {
  const char* kind;
  Json subject;
  Members further;
  std::initializer_list<const char*> required;
  std::string_view about;
};
Json check_of(const CheckForm& form, bool of_rows) {
  Json properties{Json::Object{}};
  properties.set(form.kind, form.subject);
  for (const auto& [key, value] : form.further) properties.set(key, value);
  properties.set("severity", reference("severity"));
  if (of_rows) {
    properties.set("warn_if",
                   within(of_type("integer", "From how many rows on it is said."), 1, kMostCount));
    properties.set("error_if", within(of_type("integer", "From how many rows on a batch is held."),
                                      1, kMostCount));
  }
  Json json = table(std::move(properties), {}, form.about);
  Json names = array({form.kind});
  for (const char* name : form.required) names.push(name);
  json.set("required", std::move(names));
  return json;
}

Json row_checks() {
  const Json column_name = text("A column.");
  const Json by = list_of(column_name, "The columns of the key; all rows are of one without.");
  return any_of({
      check_of({"row", reference("expression"), {}, {}, "A condition over the row; null passes."},
               true),
      check_of({"increasing",
                column_name,
                {{"by", by}, {"strictly", of_type("boolean", "Whether equal values are bad.")}},
                {},
                "Rows of one key that do not go down, in the order in which they come."},
               true),
      check_of({"refers",
                column_name,
                {{"to", text("A column of a source: \"aircraft.tail\".")}},
                {"to"},
                "A key that another source has, known before the row is."},
               true),
  });
}

Json batch_checks() {
  const Json column_name = text("A column.");
  const Json nothing = one_of_texts({""}, "Of no column.");
  const Json least = of_type("number", "The least value that is good.");
  const Json most = of_type("number", "The greatest value that is good.");
  const Json share = within(of_type("number", "The greatest share that is good."), 0, 1);
  const Json span = reference("duration");
  return any_of({
      check_of({"unique",
                not_empty(list_of(column_name, "The columns.")),
                {},
                {},
                "No two rows have equal values."},
               false),
      check_of({"rows", nothing, {{"min", least}, {"max", most}}, {}, "The number of rows."},
               false),
      check_of({"volume",
                span,
                {{"max_ratio", of_type("number", "How many times more, or fewer.")}},
                {"max_ratio"},
                "Rows an hour, beside those of the same hour of the week before."},
               false),
      check_of({"null_share", column_name, {{"max", share}}, {"max"}, "The share of nulls."},
               false),
      check_of({"distinct",
                column_name,
                {{"min", least}, {"max", most}},
                {},
                "The number of distinct values."},
               false),
      check_of({"mean", column_name, {{"min", least}, {"max", most}}, {}, "The mean."}, false),
      check_of(
          {"quantile",
           column_name,
           {{"p", within(of_type("number", "Which one."), 0, 1)}, {"min", least}, {"max", most}},
           {"p"},
           "A quantile."},
          false),
      check_of({"sum",
                column_name,
                {{"equals", text("A column of a source: \"ledger.amount\".")},
                 {"tolerance", of_type("number", "How far apart the sums may be.")}},
                {"equals"},
                "The sum, equal to that of another source."},
               false),
      check_of({"freshness",
                span,
                {{"of", one_of_texts({"event time", "arrival", "both"}, "By which times.")}},
                {},
                "How old the newest row may be."},
               false),
      check_of({"late_share",
                span,
                {{"max", share}},
                {"max"},
                "The share of rows that are known later than this after they happened."},
               false),
      check_of({"out_of_order_share",
                nothing,
                {{"max", share}},
                {"max"},
                "The share of rows that happened before one that came before them."},
               false),
      check_of({"gap",
                span,
                {{"by", list_of(column_name, "The columns of the key.")}, {"max", most}},
                {"max"},
                "How many times nothing may happen for longer than this."},
               false),
  });
}

Json distribution_checks() {
  Json kinds{Json::Array{}};
  for (const char* kind : {"psi", "ks", "linf", "js", "chi2", "new_values", "vanished_values"})
    kinds.push(check_of({kind,
                         text("A column."),
                         {{"reference", text("The path of a profile.")},
                          {"max", of_type("number", "The greatest distance, or number.")}},
                         {"reference", "max"},
                         "The values beside those of a frozen reference."},
                        false));
  return object({{"anyOf", std::move(kinds)}});
}

Json source() {
  return table(
      object({
          {"path", text("The file, relative to coeval.toml; without it the source is live only.")},
          {"delimiter",
           one_of_texts({",", ";", "\t", "|"}, "Between the fields of its CSV files.")},
          {"time", text("The column with the event time.")},
          {"known", described(reference("expression"),
                              "When a row became known, or exactly \"event time\".")},
          {"columns", named(column(), "The columns with their types and rules.")},
          {"id", text("The column that names an event.")},
          {"dedup", described(reference("duration"),
                              "How long after an event one of the same id is a duplicate.")},
          {"replaces", text("The column with the id of the event that a row corrects.")},
          {"deleted", described(reference("expression"),
                                "Where true, the row only takes back what it replaces.")},
          {"retention", described(reference("duration"), "How long the log keeps an event.")},
          {"checks", named(any_of({row_checks(), batch_checks(), distribution_checks()}),
                           "Checks of rows and batches by name.")},
          {"max_bad_rows", count("A batch with more rows in quarantine is held.")},
          {"max_bad_ratio", within(of_type("number", "A greater share holds the batch."), 0, 1)},
      }),
      {"time", "known", "columns"}, "Where rows come from.");
}

Json view() {
  Json aggregate = any_of(
      {reference("aggregate"),
       table(object({{"value", reference("aggregate")},
                     {"default", object({{"type", array({"number", "string", "boolean"})},
                                         {"description", "What takes the place of null."}})},
                     {"max_age", described(reference("duration"),
                                           "A value whose newest event is older is stale.")},
                     {"on_stale",
                      one_of_texts({"default", "null", "refuse"}, "What a stale value becomes.")}}),
             {"value"}, "An aggregate with what it is where there is nothing, or nothing new.")});
  Json json = table(
      object({
          {"from", text("The source.")},
          {"by", list_of(of_type("string", "A column."),
                         "The key columns; [] is one entity over all events.")},
          {"windows", not_empty(list_of(reference("window"), "The windows of each aggregate."))},
          {"lateness",
           described(reference("duration"), "How much later than its time an event may come.")},
          {"where", false},
          {"offset", false},
      }),
      {"from", "by", "windows"}, "Aggregates of a source's events by key.");
  json.set("additionalProperties", std::move(aggregate));
  return json;
}

Json lookup() {
  return table(object({
                   {"from", text("The source.")},
                   {"by", list_of(of_type("string", "A column."), "The key columns.")},
                   {"columns", list_of(of_type("string", "A column."), "What is looked up.")},
                   {"lateness", described(reference("duration"),
                                          "How much later than its time a row may come.")},
               }),
               {"from", "by", "columns"}, "The newest row of a slowly changing table.");
}

Json trainer() {
  Json command = object({{"command", list_of(text("A word of the command."), "No shell runs it.")},
                         {"format", one_of_texts({"parquet", "arrow"}, "Of its tables.")},
                         {"files", list_of(text("A file of the project."), "What it reads.")}});
  return any_of({one_of_texts({"xgboost", "lightgbm", "linear"}, "What trains."),
                 table(std::move(command), {"command"}, "A command that trains.")});
}

Json params() {
  Json properties{Json::Object{}};
  // A name that several trainers have takes what either takes: which one trains stands elsewhere.
  std::map<std::string, std::vector<std::pair<std::string, TrainerParam>>> params;
  for (const std::string trainer : {"xgboost", "lightgbm", "linear"}) {
    for (const TrainerParam& param : trainer_params(trainer)) {
      params[std::string(param.name)].emplace_back(trainer, param);
      if (!param.alias.empty()) params[std::string(param.alias)].emplace_back(trainer, param);
    }
  }
  for (const auto& [name, meanings] : params) {
    TrainerParam widest = meanings.front().second;
    std::string defaults;
    for (const auto& [trainer, param] : meanings) {
      widest.least = std::min(widest.least, param.least);
      widest.most = std::max(widest.most, param.most);
      widest.whole = widest.whole && param.whole;
      defaults += (defaults.empty() ? "" : ", ") + std::string(param.value) + " (" + trainer + ")";
    }
    properties.set(name,
                   within(of_type(widest.whole ? "integer" : "number", "Default: " + defaults),
                          widest.least, widest.most));
  }
  properties.set("rounds", within(of_type("integer", "How many trees, at most."), 1, 100'000));
  properties.set("early_stopping_rounds",
                 within(of_type("integer", "Stop after so many rounds without a gain; 0: never."),
                        0, 100'000));
  properties.set("tree_method", one_of_texts({"hist"}, "The method that is equal to the bit."));
  return table(std::move(properties), {}, "The trainer's parameters.");
}

Json bound() {
  return object({{"type", "string"},
                 {"pattern", "^[<>]= *-?[0-9.]"},
                 {"description", "\">= 0.77\" or \"<= 0.05\""}});
}

Json bounds_of_metrics() {
  Json gates{Json::Object{}};
  for (const std::string_view metric : gate_metrics_of_any_kind())
    gates.set(std::string(metric), bound());
  return gates;
}

// The keys given, and bounds on metrics of [metric].
Json table_of_gates(Json properties, std::string_view about) {
  Json json = table(std::move(properties), {}, about);
  json.set("additionalProperties", bound());
  return json;
}

Json gates() {
  Json gates = bounds_of_metrics();
  const auto limit = [](std::string_view about) {
    return object({{"type", "string"}, {"pattern", "^<= *[0-9.]"}, {"description", about}});
  };
  gates.set("latency", limit("Of one row in the runtime, the median: \"<= 20us\""));
  gates.set("leak", limit("Of the AUC of one input alone: \"<= 0.98\""));
  gates.set("size", limit("Of the model's file: \"<= 10MB\""));
  gates.set("cost_per_million", limit("Of a million predictions: \"<= 0.05\""));
  gates.set("worst_slice", table_of_gates(bounds_of_metrics(), "Must hold on every slice."));
  gates.set("better_than",
            one_of_texts({"champion"}, "Shown better than the version that serves."));
  gates.set("not_worse_than",
            one_of_texts({"champion"}, "Not shown worse, by more than the margin."));
  gates.set("core_hour", of_type("number", "What an hour of a core costs; 0.05 unless given."));
  gates.set("margin", of_type("number", "How much worse is not worse."));
  gates.set("no_slice_worse_than",
            one_of_texts({"champion"}, "On no slice shown worse than the version that serves."));
  gates.set("slice_margin", of_type("number", "How much worse is not worse on a slice."));
  gates.set("on", text("The metric of the gates against the champion; auc unless given, that of a "
                       "regression's loss, or log_loss of several classes."));
  return table_of_gates(std::move(gates), "What a version must reach to be promoted.");
}

Json metric() {
  const Json value =
      described(reference("expression"), "Over the question's row and score, decision and label.");
  return table(
      object({{"kind", one_of_texts({"sum", "mean", "proportion", "ratio"}, "What becomes of it.")},
              {"value", value},
              {"divisor", value},
              {"better", one_of_texts({"higher", "lower"}, "Which is better; higher.")}}),
      {"kind", "value"}, "What answers are worth to the business.");
}

Json split() {
  const auto moment = [](std::string_view about) {
    return described(text(""), std::string(about) + ", a date or time without quotes");
  };
  const Json rolling =
      table(object({{"folds", within(of_type("integer", "How many earlier origins."), 1, 100)},
                    {"step", described(reference("duration"), "From one to the next.")}}),
            {"folds", "step"}, "Train at earlier origins too, and judge on what followed each.");
  return table(
      object(
          {{"train_until", moment("Exclusive end of training")},
           {"validate_until", moment("Exclusive end of validation")},
           {"calibrate_until", moment("Exclusive end of the rows that calibration is fitted on")},
           {"threshold_until", moment("Exclusive end of the rows that the threshold is chosen on")},
           {"test_until", moment("Exclusive end of the test")},
           {"gap", described(reference("duration"), "Before the end of each part: rows of none.")},
           {"rolling", rolling}}),
      {"train_until", "validate_until", "test_until"}, "By time, always.");
}

Json threshold() {
  const auto share = [](std::string_view about) { return within(of_type("number", about), 0, 1); };
  const Json cost = table(object({{"false_positive", of_type("number", "What one costs.")},
                                  {"false_negative", of_type("number", "What one costs.")}}),
                          {}, "Where the cost of all mistakes is least.");
  return any_of(
      {share("From which probability on a prediction is positive."),
       table(object({{"cost", cost},
                     {"precision", share("The most recall with at least this precision.")},
                     {"recall", share("The most precision with at least this recall.")}}),
             {}, "A rule by which it is chosen, on a part of its own.")});
}

// Keys of a model that say how it is fitted and judged.
void add_training_options(Json& properties) {
  const Json expressions = list_of(reference("expression"), "Values of the question's row.");
  properties.set("experiment",
                 text("Under which runs are listed; the project's name unless given."));
  properties.set("weights", described(reference("expression"), "What a row counts in training."));
  properties.set(
      "class_weights",
      any_of({one_of_texts({"balanced"}, "Both classes count the same."),
              table(object({{"positive", of_type("number", "What a positive row counts.")},
                            {"negative", of_type("number", "What a negative row counts.")}}),
                    {}, "What rows of a class count.")}));
  Json directions{Json::Object{}};
  Json monotone = table(std::move(directions), {}, "Inputs with which scores only rise, or fall.");
  monotone.set("additionalProperties",
               one_of_texts({"increasing", "decreasing"}, "What scores do as it rises."));
  properties.set("monotone", std::move(monotone));
  properties.set("calibration", one_of_texts({"auto", "platt", "isotonic", "none"},
                                             "How scores become probabilities."));
  properties.set("threshold", threshold());
  properties.set("slices", expressions);
  properties.set("metrics", list_of(of_type("string", "A name of [metric]."),
                                    "Figures of the business that are reported."));
  properties.set("resample", text("\"row\", \"day\", or a value of the row that rows repeat."));
  properties.set(
      "limits",
      table(object({{"time_budget", described(reference("duration"), "Of one training run.")},
                    {"memory_limit", text("Of one training run: \"8GB\".")},
                    {"threads", within(of_type("integer", "Of the trainer."), 1, 1024)}}),
            {}, "What training may take. No result depends on it."));
  Json space = table(Json{Json::Object{}}, {}, "Ranges of parameters: max_depth = [3, 10].");
  space.set("additionalProperties", list_of(of_type("number", "An end."), "Least and most."));
  properties.set(
      "search",
      table(object({{"trials", within(of_type("integer", "How many, at most."), 1, 10'000)},
                    {"time_budget", described(reference("duration"), "Of all trials.")},
                    {"metric", text("Of the validation part: log_loss unless given, or that of "
                                    "a regression's loss.")},
                    {"max_latency", described(reference("duration"), "Of one row, at most.")},
                    {"space", std::move(space)}}),
            {"trials"}, "Looks for better parameters."));
}

Json loss() {
  return any_of(
      {one_of_texts({"squared", "absolute"}, "What a regression makes small; squared."),
       table(object({{"quantile", within(of_type("number", "Which one."), 0.001, 0.999)}}),
             {"quantile"}, "A quantile of the label, by the pinball loss.")});
}

Json model() {
  Json label = any_of(
      {reference("expression"),
       table(object({{"value", reference("expression")},
                     {"known", described(reference("expression"), "When the label is known.")},
                     {"from", text("The source whose events bring the label.")},
                     {"by", list_of(of_type("string", "A column of both sources."), "The keys.")},
                     {"within", described(reference("duration"), "How long they may take.")}}),
             {"value"}, "A label that takes its time, or that later events bring.")});
  Json properties = object({
      {"question", table(object({{"from", text("The source whose events ask.")},
                                 {"at", text("The column with the question's time.")}}),
                         {"from", "at"}, "Who asks, and when.")},
      {"kind", one_of_texts({"binary", "multiclass", "ranking", "regression"},
                            "Whether the label is a condition, one of some classes, a grade of "
                            "relevance, or a number; binary.")},
      {"query", described(reference("expression"), "Of kind = ranking: what names a query.")},
      {"k",
       within(of_type("integer", "Of kind = ranking: metrics are of the first k; 10."), 1, 10'000)},
      {"classes", list_of(of_type("string", "A text that the label can be."),
                          "Of kind = multiclass: all of them, in the order of the scores.")},
      {"cost_matrix",
       list_of(list_of(of_type("number", "From 0 on."), "Of one label, by the decided class."),
               "Of kind = multiclass: what decisions cost, a row for each class.")},
      {"loss", loss()},
      {"label", std::move(label)},
      {"inputs", inputs()},
      {"trainer", trainer()},
      {"params", any_of({params(), of_type("object", "Of a command: its own.")})},
      {"seed", within(of_type("integer", "Of the trainer."), 0, 2'147'483'647)},
      {"split", split()},
      {"gate", gates()},
  });
  add_training_options(properties);
  return table(std::move(properties), {"question", "label", "inputs", "split"}, "A model.");
}

Json definitions() {
  constexpr auto kDuration = "[0-9]+(us|ms|s|min|h|d|w)";
  const std::string length = kDuration;
  Json constants = object({{"type", array({"number", "string", "boolean"})},
                           {"description", "A date or time stands without quotes."}});
  return object({
      {"expression",
       text("An expression: arithmetic, comparison, and, or, not, case when … then … else … end, "
            "in, between, like, is null, cast(x as type). Functions:" +
            all_functions())},
      {"aggregate",
       text("aggregate(expression) [where condition]. Aggregates:" + all_aggregates())},
      {"duration", object({{"type", "string"},
                           {"pattern", "^" + length + "$"},
                           {"description", "A number and us, ms, s, min, h, d or w: \"90min\""}})},
      {"window", object({{"type", "string"},
                         {"pattern", "^ *(all|" + length + "( +offset +" + length +
                                         ")?|today|this_week|this_month) *$"},
                         {"description",
                          "\"3h\", \"14d\", \"all\", \"7d offset 7d\", \"today\", \"this_week\", "
                          "\"this_month\""}})},
      {"type",
       object({{"type", "string"},
               {"pattern",
                "^(bool|int32|int64|float32|float64|string|timestamp|date|decimal *\\( *[0-9]+ "
                "*, *[0-9]+ *\\)|list<float32>\\([0-9]+\\))$"},
               {"description",
                "bool int32 int64 float32 float64 decimal(p,s) string timestamp date "
                "list<float32>(n)"}})},
      {"constant", std::move(constants)},
      {"severity",
       one_of_texts({"warn", "error"}, "Whether it counts, or keeps rows or batches out.")},
  });
}

}  // namespace

Json json_schema() {
  Json json = table(
      object({
          {"project",
           table(object({{"name", object({{"type", "string"},
                                          {"pattern", "^[A-Za-z0-9_-]{1,64}$"},
                                          {"description", "Letters, digits, _ and -."}})},
                         {"zone", text("An IANA zone: whose clocks and calendar count. UTC unless "
                                       "stated.")}}),
                 {"name"}, "The project.")},
          {"constants", named(reference("constant"), "Names for values in every expression.")},
          {"source", named(source(), "Sources by name.")},
          {"view", named(view(), "Views by name.")},
          {"lookup", named(lookup(), "Lookups by name.")},
          {"keys", named(reference("expression"),
                         "Keys that a question has no column for, and how they are found.")},
          {"metric", named(metric(), "Figures of the business by name.")},
          {"features", named(reference("expression"),
                             "Expressions over columns, view features and other features.")},
          {"model", named(model(), "Models by name.")},
          {"serving",
           table(object({{"state", one_of_texts({"memory", "disk"},
                                                "Where a server keeps its state: all of it in "
                                                "memory (unless stated), or in RocksDB.")},
                         {"memory", text("What entities may take in memory with state = \"disk\", "
                                         "such as 4GB or 512MiB; 1GB unless stated.")}}),
                 {}, "How it is served. No answer depends on it, and no hash.")},
      }),
      {"project", "source"}, "A coeval project: coeval.toml");
  json.set("$schema", "http://json-schema.org/draft-07/schema#");
  json.set("title", "coeval.toml");
  json.set("definitions", definitions());
  return json;
}

}  // namespace coeval::define
