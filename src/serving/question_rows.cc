#include "serving/question_rows.h"

#include <string>
#include <string_view>
#include <utility>

#include "define/diagnostics.h"

namespace coeval::serving {
namespace {

constexpr std::string_view kAt = "at";

Error about_key(Error error, std::string_view key) {
  error.message = "'" + std::string(key) + "': " + error.message;
  return error;
}

std::unexpected<Error> unknown_key(std::string_view key, const ModelPlan& plan) {
  std::string advice = define::did_you_mean(key, plan.keys);
  if (advice.empty()) advice = "the keys of this question are " + define::listed(plan.keys);
  return fail(Code::unknown_key,
              "model '" + plan.name + "' has no question column " + define::in_quotes(key),
              std::move(advice));
}

std::unexpected<Error> missing(const data::Field& field) {
  return fail(
      Code::missing_value,
      "key '" + field.name + "' is missing, expected " + std::string(data::name(field.type)),
      "give it a value");
}

Status set_at(std::int64_t at_us, std::string_view key, Question& question) {
  if (question.at_us && *question.at_us != at_us) {
    return fail(Code::bad_json, "the question's time is given twice, with two values",
                "give 'at' or '" + std::string(key) + "', not both");
  }
  question.at_us = at_us;
  return {};
}

Status take_at(const data::Json& value, std::string_view key, Question& question) {
  auto read = data::from_json(value, data::Type::timestamp);
  if (!read) return std::unexpected(about_key(std::move(read).error(), key));
  if (data::is_null(*read)) return {};
  return set_at(std::get<std::int64_t>(*read), key, question);
}

Status take_column(const data::Json& value, const data::Field& field, data::Value& out) {
  auto read = data::from_json(value, field.type);
  if (!read) return std::unexpected(about_key(std::move(read).error(), field.name));
  out = std::move(*read);
  return {};
}

// Texts that question columns are taken out of, by holder.
using HeldTexts = std::vector<std::optional<std::string>>;

Status take_text(const data::Json& value, std::string_view key, std::optional<std::string>& text) {
  auto read = data::from_json(value, data::Type::string);
  if (!read) return std::unexpected(about_key(std::move(read).error(), key));
  if (auto* given = std::get_if<std::string>(&*read)) text = std::move(*given);
  return {};
}

// The question's time may itself stand in JSON.
Status take_time_out(const ModelPlan& plan, Question& question) {
  if (plan.at_slot < 0) return {};
  const auto slot = static_cast<std::size_t>(plan.at_slot);
  const auto* at_us = std::get_if<std::int64_t>(&question.values[slot]);
  if (plan.extraction->holder_at(slot) < 0 || at_us == nullptr) return {};
  return set_at(*at_us, plan.model->at_column, question);
}

// A null is left to the rules.
Status take_out(const ModelPlan& plan, const HeldTexts& held, Question& question,
                std::vector<bool>& given) {
  std::vector<std::optional<std::string_view>> texts(held.begin(), held.end());
  data::JsonParser parser;
  const auto faults = plan.extraction->fill(texts, question.values, parser);
  for (std::size_t i = 0; i < given.size(); ++i) {
    const int holder = plan.extraction->holder_at(i);
    if (holder >= 0) given[i] = held[static_cast<std::size_t>(holder)].has_value();
  }
  if (faults.empty()) return take_time_out(plan, question);
  const Code code = faults.front().rule == "type" ? Code::type_mismatch : Code::bad_json;
  return fail(code, faults.front().reason, "mend the text of the JSON that is sent");
}

Status require_all(const ModelPlan& plan, const std::vector<bool>& given) {
  for (std::size_t i = 0; i < given.size(); ++i) {
    const bool is_time = static_cast<int>(i) == plan.at_slot;  // filled in when T is settled
    if (given[i] || is_time || plan.question.fields[i].nullable) continue;
    const int holder = plan.extraction->holder_at(i);
    if (holder < 0) return missing(plan.question.fields[i]);
    return missing(
        {plan.extraction->holders()[static_cast<std::size_t>(holder)], data::Type::string, false});
  }
  return {};
}

}  // namespace

Result<Question> read_question(const data::Json& json, const ModelPlan& plan) {
  if (json.object() == nullptr) {
    return fail(Code::bad_json,
                "expected a question as an object, found " + std::string(json.kind()),
                "send {\"" + plan.keys.front() + "\": …}, or an array of such objects");
  }
  Question question;
  question.values.resize(plan.question.fields.size());
  std::vector<bool> given(question.values.size(), false);
  HeldTexts held(plan.extraction->holders().size());
  for (const auto& [key, value] : *json.object()) {
    if (key == kAt || key == plan.model->at_column) {
      COEVAL_TRY(take_at(value, key, question));
      continue;
    }
    const int slot = plan.question.index_of(key);
    if (const int holder = plan.extraction->holder_of(key); holder >= 0) {
      COEVAL_TRY(take_text(value, key, held[static_cast<std::size_t>(holder)]));
      if (slot < 0) continue;
    }
    if (slot < 0 || plan.extraction->holder_at(static_cast<std::size_t>(slot)) >= 0)
      return unknown_key(key, plan);
    const auto i = static_cast<std::size_t>(slot);
    COEVAL_TRY(take_column(value, plan.question.fields[i], question.values[i]));
    given[i] = true;
  }
  if (!plan.extraction->empty()) COEVAL_TRY(take_out(plan, held, question, given));
  COEVAL_TRY(require_all(plan, given));
  return question;
}

}  // namespace coeval::serving
