#include "case_world.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <span>
#include <utility>

#include "base/stable_order.h"
#include "base/time.h"
#include "define/row_schemas.h"
#include "quality/json_extraction.h"

namespace coeval::cases {

namespace {

// `at` itself is the question's time wherever expressions are written, so its column needs a name.
constexpr const char* kAskedAt = "asked_at";

std::string question_column(const Heading& heading) {
  return heading.name == "at" ? kAskedAt : heading.name;
}

std::string toml_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string column_line(const Heading& column, const std::string& known) {
  std::string line =
      toml_text(column.name) + " = { type = \"" + std::string(name(column.type)) + "\"";
  if (column.nullable) line += ", nullable = true";
  if (!known.empty()) line += ", known = \"" + known + "\"";
  return line + " }\n";
}

// Tables of the definition by their heading, so that what the case says and what is added for it
// stand under one.
class Tables {
 public:
  explicit Tables(const Case& c) {
    std::string* table = nullptr;
    for (const std::string& line : c.definition) {
      if (line[0] == '[' && line.find('=') == std::string::npos)
        table = &at(line);
      else if (table != nullptr)
        *table += line + "\n";
    }
  }
  std::string& at(const std::string& heading) {
    for (auto& [known, text] : tables_)
      if (known == heading) return text;
    return tables_.emplace_back(heading, std::string()).second;
  }
  bool has(const std::string& heading) const {
    return std::ranges::any_of(tables_, [&](const auto& t) { return t.first == heading; });
  }
  // Whether a table of that heading has a line for the key.
  static bool has_key(const std::string& table, const std::string& key) {
    std::size_t at = 0;
    while (at < table.size()) {
      if (table.compare(at, key.size(), key) == 0 &&
          table.find_first_not_of(" ", at + key.size()) != std::string::npos &&
          table[table.find_first_not_of(" ", at + key.size())] == '=')
        return true;
      at = table.find('\n', at) + 1;
    }
    return false;
  }
  std::vector<std::pair<std::string, std::string>>& all() { return tables_; }
  std::string text() const {
    std::string out;
    for (const auto& [heading, lines] : tables_) out += heading + "\n" + lines;
    return out;
  }

 private:
  std::vector<std::pair<std::string, std::string>> tables_;
};

void add_source(Tables& tables, const EventTable& events) {
  const std::string heading = "[source." + events.source;
  std::string& source = tables.at(heading + "]");
  if (!Tables::has_key(source, "time")) source += "time = \"ts\"\n";
  if (!Tables::has_key(source, "known"))
    source += events.has_known() ? "known = \"known\"\n" : "known = \"event time\"\n";
  std::string& columns = tables.at(heading + ".columns]");
  for (const Heading& column : events.columns)
    if (!Tables::has_key(columns, column.name)) columns += column_line(column, "");
}

std::string only_view(Tables& tables) {
  std::string view;
  for (const auto& [heading, lines] : tables.all()) {
    if (!heading.starts_with("[view.")) continue;
    if (!view.empty()) return "";
    view = heading.substr(6, heading.size() - 7);
  }
  return view;
}

// "n_1h" is "v.n_1h" where there is one view and no feature of that name.
std::string input_name(Tables& tables, const Case& c, const std::string& feature) {
  if (feature.find('.') != std::string::npos) return feature;
  if (tables.has("[features]") && Tables::has_key(tables.at("[features]"), feature)) return feature;
  for (const Heading& column : c.ask.columns)
    if (column.name == feature) return feature;
  const std::string view = only_view(tables);
  return view.empty() ? feature : view + "." + feature;
}

void add_model(Tables& tables, const Case& c) {
  tables.at("[source.question]") += "time = \"asked_at\"\nknown = \"event time\"\n";
  std::string& columns = tables.at("[source.question.columns]");
  for (const Heading& column : c.ask.columns) {
    const Heading named{question_column(column), column.type, column.nullable};
    if (!Tables::has_key(columns, named.name))
      columns += column_line(named, column.name == "at" ? "" : kAskedAt);
  }
  columns += "outcome = { type = \"bool\" }\n";
  std::string inputs = "\"day(at)\"";
  for (const std::string& feature : c.ask.features)
    inputs += ", " + toml_text(input_name(tables, c, feature));
  tables.at("[model.answers]") +=
      "question = { from = \"question\", at = \"asked_at\" }\nlabel = \"outcome\"\ninputs = [" +
      inputs +
      "]\nsplit = { train_until = 2001-05-01, validate_until = 2001-06-01, test_until = 2001-07-01 "
      "}\ngate = { auc = \">= 0.5\" }\n";
}

Error at_line(const Case& c, int line, Error error) {
  error.message = c.place(line) + ": " + error.message;
  return error;
}

// `known` may be given by its distance from ts: = or +5min or -5min.
Result<data::Value> read_event_cell(const Heading& column, const Cell& cell, std::int64_t time_us) {
  if (column.name != "known" || cell.quoted || cell.text.empty())
    return read_value(cell, column.type);
  if (cell.text == "=") return data::Value{time_us};
  if (cell.text[0] != '+' && cell.text[0] != '-') return read_value(cell, column.type);
  COEVAL_ASSIGN(const std::int64_t us, parse_duration(cell.text.substr(1)));
  return data::Value{cell.text[0] == '+' ? time_us + us : time_us - us};
}

bool is_finite(const data::Value& value) {
  const auto* real = std::get_if<double>(&value);
  return real == nullptr || std::isfinite(*real);
}

// Columns that the source takes out of JSON. Rows of a case are good ones.
Status take_out(const define::Source& source, data::Batch& batch) {
  const quality::JsonExtraction extraction(source);
  if (extraction.empty()) return {};
  std::vector<quality::UnreadableValue> unreadable;
  extraction.fill(batch, unreadable);
  if (unreadable.empty()) return {};
  return fail(Code::bad_file,
              "row " + std::to_string(unreadable[0].row) + ": " + unreadable[0].reason);
}

// Rows of one events table: appended under its source's schema.
Status read_events(World& world, const EventTable& table) {
  const int index = world.project->source_index(table.source);
  if (index < 0) return fail(Code::bad_file, "the definition has no source '" + table.source + "'");
  const auto at = static_cast<std::size_t>(index);
  const data::Schema& schema = world.project->sources[at].schema;
  std::vector<data::ColumnBuilder> builders;
  for (const data::Field& field : schema.fields) builders.emplace_back(field.type);
  for (const Row& row : table.rows) {
    Event event{index, static_cast<std::int64_t>(world.known_us[at].size()), 0, 0, &table, &row};
    std::vector<data::Value> values(schema.fields.size());
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      auto value = read_event_cell(table.columns[i], row.cells[i], event.time_us);
      if (!value) return std::unexpected(at_line(*world.text, row.line, value.error()));
      if (i == 0) event.known_us = event.time_us = std::get<std::int64_t>(*value);
      if (i == 1 && table.has_known()) event.known_us = std::get<std::int64_t>(*value);
      world.finite = world.finite && is_finite(*value);
      const int place = schema.index_of(table.columns[i].name);
      if (place < 0)
        return fail(Code::bad_file,
                    "source '" + table.source + "' has no column '" + table.columns[i].name + "'");
      values[static_cast<std::size_t>(place)] = std::move(*value);
    }
    for (std::size_t i = 0; i < builders.size(); ++i) builders[i].append(values[i]);
    world.known_us[at].push_back(event.known_us);
    world.events.push_back(event);
  }
  data::Batch& batch = world.sources[at];
  batch.schema = schema;
  batch.rows = static_cast<std::int64_t>(table.rows.size());
  for (data::ColumnBuilder& builder : builders) batch.columns.push_back(builder.finish());
  return take_out(world.project->sources[at], batch);
}

// The same for questions, whose columns stand in another order than the source's.
Status take_out_of_questions(const define::Source& source, data::Batch& questions) {
  data::Batch rows;
  rows.schema = source.schema;
  rows.rows = questions.rows;
  for (const auto& column : source.columns) {
    const data::Column* found = questions.find(column.name);
    rows.columns.push_back(found == nullptr ? data::Column() : *found);
  }
  COEVAL_TRY(take_out(source, rows));
  for (std::size_t i = 0; i < source.columns.size(); ++i)
    if (source.columns[i].json)
      questions
          .columns[static_cast<std::size_t>(questions.schema.index_of(source.columns[i].name))] =
          rows.columns[i];
  return {};
}

Status read_questions(World& world) {
  const AskTable& ask = world.text->ask;
  std::vector<data::ColumnBuilder> columns, expected;
  for (const Heading& heading : ask.columns) {
    columns.emplace_back(heading.type);
    world.questions.schema.fields.push_back(
        {question_column(heading), heading.type, heading.nullable});
  }
  for (std::size_t i = 0; i < ask.features.size(); ++i) {
    const define::Input& input = world.model->inputs[kFirstFeature + i];
    expected.emplace_back(input.type);
    world.expected.schema.fields.push_back({input.name, input.type, true});
  }
  const Cell stale{"stale", false};
  for (const Row& row : ask.rows) {
    const auto answers = std::span(row.cells).subspan(columns.size());
    const auto is_stale = [&](const Cell& cell) { return cell.text == stale.text && !cell.quoted; };
    world.refused.push_back(!answers.empty() && std::ranges::all_of(answers, is_stale));
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const bool is_column = i < columns.size();
      data::ColumnBuilder& builder = is_column ? columns[i] : expected[i - columns.size()];
      auto value = !is_column && world.refused.back() ? Result<data::Value>(data::Value{})
                                                      : read_value(row.cells[i], builder.type());
      if (!value) return std::unexpected(at_line(*world.text, row.line, value.error()));
      if (i == 0) world.at_us.push_back(std::get<std::int64_t>(*value));
      builder.append(*value);
    }
  }
  world.questions.rows = world.expected.rows = static_cast<std::int64_t>(ask.rows.size());
  for (auto& builder : columns) world.questions.columns.push_back(builder.finish());
  const auto& source = world.project->sources[static_cast<std::size_t>(world.model->source)];
  for (const auto& column : source.columns) {
    if (!column.json) continue;
    world.questions.schema.fields.push_back({column.name, column.type, column.nullable});
    world.questions.columns.emplace_back();
  }
  COEVAL_TRY(take_out_of_questions(source, world.questions));
  for (auto& builder : expected) world.expected.columns.push_back(builder.finish());
  world.question_order = stable_order(world.at_us);
  return {};
}

}  // namespace

std::string definition_of(const Case& c) {
  Tables tables(c);
  std::string& project = tables.at("[project]");
  if (!Tables::has_key(project, "name")) project += "name = \"case\"\n";
  for (const EventTable& events : c.events) add_source(tables, events);
  if (c.ask.line != 0) add_model(tables, c);
  for (auto& [heading, lines] : tables.all())
    if (heading.starts_with("[view.") && heading.find('.', 6) == std::string::npos &&
        !Tables::has_key(lines, "from") && !c.events.empty())
      lines = "from = \"" + c.events[0].source + "\"\n" + lines;
  return tables.text();
}

Result<World> make_world(const Case& c) {
  World world;
  world.text = &c;
  define::Checked checked = define::check_text(definition_of(c), "coeval.toml");
  if (!checked.project) return std::unexpected(checked.errors.front());
  world.project = std::make_shared<const define::Project>(std::move(*checked.project));
  world.model = world.project->find_model(kModel);
  if (world.model == nullptr)
    return fail(Code::bad_file, c.place(c.line) + ": the case asks nothing");
  world.views.resize(world.project->views.size());
  std::iota(world.views.begin(), world.views.end(), 0);
  world.sources.resize(world.project->sources.size());
  world.known_us.resize(world.project->sources.size());
  for (const EventTable& table : c.events) COEVAL_TRY(read_events(world, table));
  std::ranges::stable_sort(world.events, {}, &Event::known_us);
  COEVAL_TRY(read_questions(world));
  return world;
}

data::Batch requested(const World& world, std::span<const std::int64_t> rows) {
  data::Batch out;
  out.rows = static_cast<std::int64_t>(rows.size());
  out.schema = define::question_schema(*world.model);
  for (const data::Field& field : out.schema.fields)
    out.columns.push_back(data::take(*world.questions.find(field.name), rows));
  return out;
}

}  // namespace coeval::cases
