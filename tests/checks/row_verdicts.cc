// Reads cases from standard input, one JSON object a line:
//   {"definition": "<text of a coeval.toml>", "environment": "train",
//    "batches": [[{"column": value, …}, …], …], "known": [{"column": value, "us": time}, …]}
// Checks the batches of source "rows" one after another, then each row by itself where no check
// depends on others, and answers with one line a case:
//   {"verdicts": [{"row": 3, "error": ["a.max"], "warn": []}, …]} or {"problem": "…"}
// "known" are the rows of source "other", for checks that refer to its column "key". Floats may be
// the texts "nan", "inf" and "-inf"; a text "\u00ff…" with the key "bytes" is given as Latin-1.

#include <cmath>
#include <iostream>
#include <map>
#include <string>

#include "data/json.h"
#include "define/project.h"
#include "quality/checks.h"
#include "quality/key_times.h"

namespace coeval {
namespace {

using data::Json;

// What the text spells, or a value as JSON lines have it.
Result<data::Value> value_of(const Json& json, data::Type type) {
  if (json.is_null()) return data::Value{};
  if (const Json* bytes = json.find("bytes")) {
    std::string raw;  // U+00XX stands for the byte XX
    const std::string& text = *bytes->string();
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto c = static_cast<unsigned char>(text[i]);
      if (c < 0x80)
        raw += text[i];
      else
        raw += static_cast<char>((c & 3) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3F));
    }
    return data::Value(std::move(raw));
  }
  const std::string* text = json.string();
  if (text != nullptr && data::is_float(type)) return data::Value(std::stod(*text));
  return data::from_json(json, type);
}

Result<data::Batch> batch_of(const data::Schema& schema, const Json::Array& rows) {
  data::Batch batch{schema, {}, static_cast<std::int64_t>(rows.size())};
  for (const data::Field& field : schema.fields) {
    data::ColumnBuilder builder(field.type);
    for (const Json& row : rows) {
      const Json* member = row.find(field.name);
      if (member == nullptr) {
        builder.append_null();
        continue;
      }
      COEVAL_ASSIGN(const data::Value value, value_of(*member, field.type));
      builder.append(value);
    }
    batch.columns.push_back(builder.finish());
  }
  return batch;
}

struct Verdict {
  Json::Array error, warn;
};
using Verdicts = std::map<std::int64_t, Verdict>;

void add(const quality::RowChecks& checks, const quality::RowFindings& found, std::int64_t first,
         Verdicts& all) {
  const auto names = [&](const quality::RowVerdict& verdict, Json::Array& to) {
    for (const int rule : verdict.rules)
      to.emplace_back(checks.rules()[static_cast<std::size_t>(rule)].name);
  };
  for (const auto& verdict : found.bad) names(verdict, all[first + verdict.row].error);
  for (const auto& verdict : found.warned) names(verdict, all[first + verdict.row].warn);
}

std::string text_of(const Verdicts& all) {
  Json::Array rows;
  for (const auto& [row, verdict] : all) {
    Json json{Json::Object{}};
    json.set("row", row);
    json.set("error", verdict.error);
    json.set("warn", verdict.warn);
    rows.push_back(std::move(json));
  }
  Json answer{Json::Object{}};
  answer.set("verdicts", std::move(rows));
  return answer.dump();
}

Result<quality::KeyTimes*> add_known(const Json& known, const define::Project& project,
                                     quality::KeyTimes& times) {
  const int other = project.source_index("other");
  if (other < 0) return &times;
  const data::Schema& schema = project.sources[static_cast<std::size_t>(other)].schema;
  const data::Type type = schema.fields[static_cast<std::size_t>(schema.index_of("key"))].type;
  for (const Json& row : *known.array()) {
    data::ColumnBuilder builder(type);
    COEVAL_ASSIGN(const data::Value value, value_of(*row.find("key"), type));
    builder.append(value);
    const std::int64_t us = *row.find("us")->integer();
    COEVAL_TRY(times.add(builder.finish(), std::span(&us, 1)));
  }
  return &times;
}

// Each row alone says what it says in its batch.
Status compare_single_rows(const quality::RowChecks& checks, const data::Batch& batch,
                           std::int64_t first, const quality::KnownKeys& keys,
                           const Verdicts& together) {
  Verdicts alone;
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    COEVAL_ASSIGN(const auto found,
                  checks.find(data::take(batch, std::span(&row, 1)), {{}, nullptr, &keys}));
    add(checks, found, first + row, alone);
  }
  Verdicts part(together.lower_bound(first), together.end());
  if (text_of(part) == text_of(alone)) return {};
  return fail(Code::internal, "one by one: " + text_of(alone) + ", together: " + text_of(part));
}

Result<std::string> answer(const Json& one) {
  const auto checked = define::check_text(*one.find("definition")->string(), "coeval.toml");
  if (!checked.project)
    return fail(checked.errors[0].code, define::render(checked.errors[0], "", false));
  const define::Project& project = *checked.project;
  const define::Source& source =
      project.sources[static_cast<std::size_t>(project.source_index("rows"))];
  const bool serve = *one.find("environment")->string() == "serve";
  COEVAL_ASSIGN(const auto checks,
                quality::RowChecks::compile(
                    source, serve ? define::Environment::serve : define::Environment::train));
  quality::KeyTimes times;
  COEVAL_TRY(add_known(*one.find("known"), project, times));
  const quality::KnownKeys keys = [&times](const define::Check&, const data::Column& values,
                                           std::span<const std::int64_t> before,
                                           std::span<std::uint8_t> known) -> Status {
    times.answer(values, before, known);
    return {};
  };
  bool ordered = false;
  for (const auto& check : source.checks)
    ordered = ordered || check.kind == define::CheckKind::increasing;
  quality::LastValues last;
  Verdicts all;
  std::int64_t first = 0;
  for (const Json& rows : *one.find("batches")->array()) {
    COEVAL_ASSIGN(const data::Batch batch, batch_of(source.schema, *rows.array()));
    COEVAL_ASSIGN(const auto found, checks->find(batch, {{}, &last, &keys}));
    add(*checks, found, first, all);
    if (!ordered) COEVAL_TRY(compare_single_rows(*checks, batch, first, keys, all));
    first += batch.rows;
  }
  return text_of(all);
}

}  // namespace
}  // namespace coeval

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto one = coeval::data::parse_json(line, {}, {true, {}});
    if (!one) return 2;
    const auto answered = coeval::answer(*one);
    if (answered) {
      std::cout << *answered << '\n';
      continue;
    }
    coeval::data::Json problem{coeval::data::Json::Object{}};
    problem.set("problem", answered.error().message);
    std::cout << problem.dump() << '\n';
  }
}
