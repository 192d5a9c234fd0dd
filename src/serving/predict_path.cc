#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "data/json.h"
#include "data/row_codec.h"
#include "define/diagnostics.h"
#include "serving/engine_parts.h"
#include "serving/question_rows.h"
#include "serving/question_rules.h"
#include "serving/scored_questions.h"

namespace coeval::serving {
namespace {

/// Why a question of a request is not asked.
struct Refusal {
  Error error;
  std::vector<BrokenRule> broken;  ///< the rules behind a bad_row
  std::optional<StaleFeature> stale;
};

/// Questions of one request: those that can be asked, and why the others cannot.
struct AskedQuestions {
  QuestionBatch batch;
  std::vector<std::optional<Refusal>> refused;  ///< by place in the request; null = in the batch
};

Error not_served(const define::Project& project, const PlanTable& plans, std::string_view name) {
  if (const auto absent = plans.absent.find(name); absent != plans.absent.end()) {
    return absent->second;
  }
  if (project.find_model(name) != nullptr) {
    return {Code::unknown_model,
            "model " + define::in_quotes(name) + " is defined, but this server does not serve it",
            "`coeval show " + std::string(name) + "` says what was built of it",
            {},
            {}};
  }
  std::vector<std::string> names;
  for (const define::Model& model : project.models) names.push_back(model.name);
  std::string advice = define::did_you_mean(name, names);
  if (advice.empty()) {
    advice =
        names.empty() ? "the definition has no model" : "the models are " + define::listed(names);
  }
  return {Code::unknown_model, "no model " + define::in_quotes(name), std::move(advice), {}, {}};
}

/// The plan of a model that can be asked. Errors: unknown_model, or why it cannot be used.
Result<const ModelPlan*> usable_plan(const define::Project& project, const PlanTable& plans,
                                     std::string_view name) {
  const auto found = plans.served.find(name);
  if (found == plans.served.end()) return std::unexpected(not_served(project, plans, name));
  if (found->second.unusable) return std::unexpected(*found->second.unusable);
  return &found->second;
}

Refusal breaks_rules(std::vector<BrokenRule> broken) {
  std::string reasons;
  for (const BrokenRule& rule : broken) reasons += (reasons.empty() ? "" : "; ") + rule.reason;
  return {{Code::bad_row,
           std::move(reasons),
           "mend the question and ask again; nothing was predicted for it",
           {},
           {}},
          std::move(broken),
          {}};
}

Refusal too_stale(StaleFeature stale) {
  return {{Code::stale_feature,
           stale.reason,
           "send the events that it counts, or say in the definition what to do instead "
           "(on_stale)",
           {},
           {}},
          {},
          std::move(stale)};
}

data::Json refusal_json(const Refusal& refusal) {
  data::Json json = error_json(refusal.error);
  if (refusal.stale) {
    data::Json stale{data::Json::Object{}};
    stale.set("feature", refusal.stale->feature);
    stale.set("age_seconds",
              refusal.stale->age_s ? data::Json(*refusal.stale->age_s) : data::Json());
    stale.set("max_age_seconds", static_cast<double>(refusal.stale->max_age_us) / 1e6);
    json.set("stale", std::move(stale));
  }
  if (refusal.broken.empty()) return json;
  data::Json::Array rules;
  for (const BrokenRule& broken : refusal.broken) {
    data::Json& rule = rules.emplace_back();
    rule.set("column", broken.column);
    rule.set("rule", broken.rule);
    rule.set("found", broken.found);
    rule.set("reason", broken.reason);
  }
  json.set("broken_rules", std::move(rules));
  return json;
}

Answer refusal_answer(const Refusal& refusal) {
  return {info(refusal.error.code).http_status, refusal_json(refusal).dump()};
}

/// Moves answers that are refusals to the refused; the others keep their order.
template <class Answers>
void take_stale(Answers& answers, AskedQuestions& asked) {
  Answers kept;
  auto next = answers.begin();
  for (auto& refused : asked.refused) {
    if (refused) continue;
    if (auto* stale = std::get_if<StaleFeature>(&*next))
      refused = too_stale(std::move(*stale));
    else
      kept.push_back(std::move(*next));
    ++next;
  }
  answers = std::move(kept);
}

/// The refusal of one question among many: which, and why.
std::string refusal_at(const char* what, std::size_t place, const Refusal& refusal) {
  data::Json json;
  json.set(what, place);
  const data::Json why = refusal_json(refusal);
  for (const auto& [key, value] : *why.object()) json.set(key, value);
  return json.dump();
}

Error too_old(const ModelPlan& plan, const define::View& view, std::int64_t at_us) {
  return {Code::question_too_old,
          "the state of view '" + view.name + "' no longer reaches back to " + format_time(at_us),
          "use `coeval dataset " + plan.name + "`, which answers questions about any time",
          {},
          {}};
}

std::optional<Error> beyond_reach(const ModelPlan& plan, const kernel::Kernel& kernel,
                                  std::int64_t at_us) {
  for (const int view : plan.views) {
    if (kernel.reaches(view, at_us)) continue;
    return too_old(plan, kernel.project().views[static_cast<std::size_t>(view)], at_us);
  }
  return std::nullopt;
}

class QuestionReader {
 public:
  QuestionReader(const ModelPlan& plan, const kernel::Kernel& kernel, std::int64_t default_at_us)
      : plan_(plan), kernel_(kernel), default_at_us_(default_at_us) {
    for (const data::Field& field : plan.question.fields) builders_.emplace_back(field.type);
  }

  void add(const data::Json& json) {
    auto error = try_add(json);
    auto& refused = asked_.refused.emplace_back();
    if (error) refused = Refusal{std::move(*error), {}, {}};
  }

  AskedQuestions finish() {
    data::Batch& rows = asked_.batch.rows;
    rows.schema = plan_.question;
    for (data::ColumnBuilder& builder : builders_) rows.columns.push_back(builder.finish());
    rows.rows = static_cast<std::int64_t>(asked_.batch.at_us.size());
    refuse_bad_questions();
    return std::move(asked_);
  }

 private:
  std::optional<Error> try_add(const data::Json& json) {
    auto question = read_question(json, plan_);
    if (!question) return std::move(question).error();
    const std::int64_t at_us = question->at_us.value_or(default_at_us_);
    if (question->at_us) {
      if (auto error = beyond_reach(plan_, kernel_, at_us)) return error;
    } else if (at_us == INT64_MIN) {
      return Error{Code::missing_value,
                   "the data clock has not begun, so the question needs a time",
                   "give 'at', or send an event first",
                   {},
                   {}};
    }
    if (plan_.at_slot >= 0) question->values[static_cast<std::size_t>(plan_.at_slot)] = at_us;
    for (std::size_t i = 0; i < builders_.size(); ++i) builders_[i].append(question->values[i]);
    asked_.batch.at_us.push_back(at_us);
    return std::nullopt;
  }

  void refuse_bad_questions() {
    std::vector<std::size_t> places;  // in the request, of each row of the batch
    for (std::size_t i = 0; i < asked_.refused.size(); ++i) {
      if (!asked_.refused[i]) places.push_back(i);
    }
    for (BadQuestion& bad : take_out_bad_questions(*plan_.rules, asked_.batch)) {
      asked_.refused[places[static_cast<std::size_t>(bad.row)]] =
          breaks_rules(std::move(bad.broken));
    }
  }

  const ModelPlan& plan_;
  const kernel::Kernel& kernel_;
  std::int64_t default_at_us_;
  std::vector<data::ColumnBuilder> builders_;
  AskedQuestions asked_;
};

void append_key(std::string& out, std::string_view key) {
  out += out.back() == '{' ? "" : ",";
  data::append_json_string(out, key);
  out += ':';
}

void append_text(std::string& out, std::string_view key, std::string_view value) {
  append_key(out, key);
  data::append_json_string(out, value);
}

void append_features(std::string& out, const data::Batch& features, std::int64_t row) {
  append_key(out, "features");
  out += '{';
  for (std::size_t i = 0; i < features.columns.size(); ++i) {
    const data::Field& field = features.schema.fields[i];
    append_key(out, field.name);
    out += data::to_json(features.columns[i].value(row), features.columns[i].type()).dump();
  }
  out += '}';
}

// The decided class, and the probability of each.
void append_classes(std::string& out, const stores::PredictionRecord& record,
                    const models::ModelCard& card) {
  append_text(out, "decision", card.classes[record.decided_class]);
  append_key(out, "scores");
  out += '{';
  for (std::size_t i = 0; i < card.classes.size(); ++i) {
    append_key(out, card.classes[i]);
    data::append_json_number(out, static_cast<double>(record.class_scores[i]));
  }
  out += '}';
}

// What the model said of one question: `margins` and `scores` of one row.
void take_answer(stores::PredictionRecord& record, const models::ModelCard& card,
                 std::span<const float> margins, std::span<const float> scores) {
  const std::size_t decided = card.decided(scores);
  record.raw_score = margins[decided];
  record.score = scores[decided];
  record.decision = card.decision(record.score);
  if (card.classes.empty()) return;
  record.decided_class = static_cast<std::uint8_t>(decided);
  record.class_margins.assign(margins.begin(), margins.end());
  record.class_scores.assign(scores.begin(), scores.end());
}

void append_prediction(std::string& out, const stores::PredictionRecord& record,
                       const models::ModelCard& card) {
  out += '{';
  append_text(out, "prediction_id", record.id);
  append_text(out, "model", record.model);
  append_key(out, "version");
  out += std::to_string(record.version);
  append_text(out, "at", format_time(record.at_us));
  append_key(out, "position");
  out += std::to_string(record.position.value);
  append_key(out, "score");
  data::append_json_number(out, static_cast<double>(record.score));
  if (card.decides()) {
    append_key(out, "decision");
    out += record.decision ? "true" : "false";
  }
  if (!card.classes.empty()) append_classes(out, record, card);
  if (record.approximate.empty()) return;
  append_key(out, "approximate");  // semantics: A4
  out += approximate_json(record).dump();
}

std::uint32_t microseconds_since(double began_s) {
  return static_cast<std::uint32_t>(std::clamp((monotonic_seconds() - began_s) * 1e6, 0.0, 4e9));
}

/// Questions of a body, or the one error that stands for all of it.
Result<data::Json> read_body(std::string_view body, const ModelPlan& plan) {
  COEVAL_ASSIGN(data::Json json, data::parse_json(body, {}, plan.extraction->texts()));
  if (const data::Json::Array* many = json.array(); many && many->size() > Engine::kMaxQuestions) {
    return fail(Code::body_too_large,
                std::to_string(many->size()) + " questions in one request, at most " +
                    std::to_string(Engine::kMaxQuestions) + " are answered",
                "send several requests, or use `coeval dataset` for bulk");
  }
  return json;
}

/// The candidates of a request for a ranking, and what they share.
struct Candidates {
  data::Json context{data::Json::Object{}};
  data::Json::Array list;
  std::size_t k = std::numeric_limits<std::size_t>::max();
};

std::unexpected<Error> bad_ranking(const std::string& what) {
  return fail(Code::bad_request, what,
              R"(send {"context": {…}, "candidates": [{…}, …], "k": 10}: each candidate with the )"
              "context's columns is a question");
}

Result<std::size_t> read_k(const data::Json& k) {
  if (k.integer() == nullptr || *k.integer() < 1) return bad_ranking("'k' must be 1 or more");
  return static_cast<std::size_t>(*k.integer());
}

bool is_key_of(const ModelPlan& plan, std::string_view key) {
  return std::ranges::find(plan.keys, key) != plan.keys.end();
}

/// Each prediction is logged with its whole question, so a context counts once a candidate.
constexpr std::size_t kMaxContextBytes = std::size_t{64} << 20;

Status check_context(const data::Json& context, std::size_t candidates, const ModelPlan& plan) {
  for (const auto& [key, value] : *context.object())
    if (!is_key_of(plan, key))
      return fail(Code::unknown_key,
                  "model " + define::in_quotes(plan.name) + " has no question column " +
                      define::in_quotes(key),
                  "the keys of its questions are " + define::listed(plan.keys));
  const std::size_t bytes = context.dump().size();
  if (bytes <= kMaxContextBytes / candidates) return {};
  return fail(Code::body_too_large,
              "a context of " + std::to_string(bytes) + " bytes for " + std::to_string(candidates) +
                  " candidates: together they may have " + std::to_string(kMaxContextBytes) +
                  " bytes",
              "send fewer candidates a request");
}

/// All candidates are asked at the context's moment, and nothing is said twice.
Status check_candidate(const data::Json& candidate, const data::Json& context,
                       const ModelPlan& plan) {
  if (candidate.object() == nullptr) return {};
  for (const auto& [key, value] : *candidate.object()) {
    if (!is_key_of(plan, key)) return {};
    if (key == "at" || key == plan.model->at_column)
      return bad_ranking("the moment, " + define::in_quotes(key) +
                         ", belongs in the context: all candidates are asked at once");
    if (context.find(key) != nullptr)
      return bad_ranking(define::in_quotes(key) + " stands in the context and in a candidate");
  }
  return {};
}

Result<Candidates> read_candidates(std::string_view body, const ModelPlan& plan) {
  COEVAL_ASSIGN(data::Json json, data::parse_json(body, {}, plan.extraction->texts()));
  if (json.object() == nullptr) return bad_ranking("the body of a ranking must be an object");
  for (const auto& [key, value] : *json.object())
    if (key != "context" && key != "candidates" && key != "k")
      return fail(Code::unknown_key, "unknown key " + define::in_quotes(key) + " in a ranking",
                  "there are context, candidates and k");
  const data::Json* context = json.find("context");
  if (context != nullptr && context->object() == nullptr)
    return bad_ranking("'context' must be an object");
  const data::Json* list = json.find("candidates");
  if (list == nullptr || list->array() == nullptr || list->array()->empty())
    return bad_ranking("'candidates' must be an array of at least one object");
  if (list->array()->size() > Engine::kMaxQuestions)
    return fail(Code::body_too_large,
                std::to_string(list->array()->size()) + " candidates in one request, at most " +
                    std::to_string(Engine::kMaxQuestions) + " are ranked",
                "choose among them before you rank");
  Candidates candidates;
  if (const data::Json* k = json.find("k")) {
    COEVAL_ASSIGN(candidates.k, read_k(*k));
  }
  if (context != nullptr) {
    COEVAL_TRY(check_context(*context, list->array()->size(), plan));
    candidates.context = *context;
  }
  for (const data::Json& candidate : *list->array())
    COEVAL_TRY(check_candidate(candidate, candidates.context, plan));
  candidates.list = *list->array();
  return candidates;
}

/// One candidate's question. What is no object, or has a key that no question has, is refused by
/// whoever reads it as it is, with its place.
data::Json question_of(const data::Json& candidate, const data::Json& context,
                       const ModelPlan& plan) {
  const auto is_key = [&](const auto& member) { return is_key_of(plan, member.first); };
  if (candidate.object() == nullptr || !std::ranges::all_of(*candidate.object(), is_key))
    return candidate;
  data::Json question = context;
  for (const auto& [key, value] : *candidate.object()) question.set(key, value);
  return question;
}

Error has_no_single_score(std::string_view name) {
  return {Code::bad_request,
          "model " + define::in_quotes(name) + " has a score for each class: there is no order",
          "ask POST /v1/predict/" + std::string(name) + " and order by the class you mean",
          {},
          {}};
}

struct RankedCandidate {
  std::size_t place = 0;
  float score = 0;
  std::string json;  ///< of its prediction
};

std::string ranking_json(const ModelPlan& plan, std::span<const RankedCandidate> ranking,
                         const std::string& refused) {
  std::string text = "{";
  append_text(text, "model", plan.name);
  append_key(text, "version");
  text += std::to_string(plan.loaded.version);
  append_key(text, "ranking");
  text += '[';
  for (const RankedCandidate& each : ranking) {
    text += each.place == ranking.front().place ? "" : ",";
    text += "{\"candidate\":" + std::to_string(each.place) + ',' + each.json.substr(1);
  }
  text += ']';
  append_key(text, "refused");
  return text + '[' + refused + "]}";
}

}  // namespace

std::int64_t Engine::Parts::default_question_us(std::optional<std::int64_t> now_us) const {
  const std::int64_t last = last_known_us();
  const std::int64_t next = last == INT64_MIN ? INT64_MIN : last + 1;
  if (!options.data_clock) return std::max(clock->now_us(), next);  // semantics: T3
  return std::max(now_us.value_or(next), next);
}

Status Engine::Parts::log_prediction(stores::PredictionRecord& record) {
  const std::int64_t last = last_known_us();
  // A question must not move known time: the next event is known when it arrives, not when we
  // asked.
  const std::int64_t known = options.data_clock ? last : std::max(last, clock->now_us());
  const std::uint64_t own = log.next_position().value;
  const std::int64_t id_us = options.data_clock ? record.at_us : known;
  record.id = make_prediction_id(id_us / 1000, own, salt);
  const std::string payload = stores::encode(record);
  COEVAL_TRY(log.append({stores::RecordKind::prediction,
                         KnownTime{known == INT64_MIN ? record.at_us : known}, 0, 0, payload}));
  return {};
}

Answer Engine::predict(std::string_view name, std::string_view body, bool features,
                       std::optional<std::int64_t> now_us) {
  Parts& parts = *parts_;
  const double began_s = monotonic_seconds();
  const std::shared_ptr<const PlanTable> plans = parts.current_plans();
  const auto usable = usable_plan(*parts.project, *plans, name);
  if (!usable) return error_answer(usable.error());
  const ModelPlan& plan = **usable;
  static_cast<void>(parts.writable());  // while it is not, predictions are held (LogWriter)

  const auto json = read_body(body, plan);
  if (!json) return error_answer(json.error());
  QuestionReader reader(plan, *parts.kernel, parts.default_question_us(now_us));
  const data::Json::Array* many = json->array();
  if (many != nullptr) {
    for (const data::Json& question : *many) reader.add(question);
  } else {
    reader.add(*json);
  }
  AskedQuestions asked = reader.finish();
  if (many == nullptr && asked.refused[0]) {
    return refusal_answer(*asked.refused[0]);
  }
  auto answers = parts.answer_questions(plan, asked.batch, began_s,
                                        features || parts.options.include_features);
  if (!answers) return error_answer(answers.error());
  take_stale(*answers, asked);
  if (many == nullptr && asked.refused[0]) return refusal_answer(*asked.refused[0]);
  if (many == nullptr) return {200, std::move(std::get<Parts::Prediction>(answers->front()).json)};

  std::string text = "{\"predictions\":[";
  auto next = answers->begin();
  for (std::size_t i = 0; i < asked.refused.size(); ++i) {
    if (i > 0) text += ',';
    text += asked.refused[i] ? refusal_at("row", i, *asked.refused[i])
                             : std::get<Parts::Prediction>(*next++).json;
  }
  text += "]}";
  return {200, std::move(text)};
}

Answer Engine::rank(std::string_view name, std::string_view body, bool features,
                    std::optional<std::int64_t> now_us) {
  Parts& parts = *parts_;
  const double began_s = monotonic_seconds();
  const std::shared_ptr<const PlanTable> plans = parts.current_plans();
  const auto usable = usable_plan(*parts.project, *plans, name);
  if (!usable) return error_answer(usable.error());
  const ModelPlan& plan = **usable;
  if (!plan.loaded.served->card.classes.empty()) return error_answer(has_no_single_score(name));
  static_cast<void>(parts.writable());

  const auto request = read_candidates(body, plan);
  if (!request) return error_answer(request.error());
  QuestionReader reader(plan, *parts.kernel, parts.default_question_us(now_us));
  for (const data::Json& candidate : request->list)
    reader.add(question_of(candidate, request->context, plan));
  AskedQuestions asked = reader.finish();
  auto answers = parts.answer_questions(plan, asked.batch, began_s,
                                        features || parts.options.include_features);
  if (!answers) return error_answer(answers.error());
  take_stale(*answers, asked);
  if (answers->empty()) return refusal_answer(*asked.refused.front());  // its status is its own

  std::vector<RankedCandidate> ranking;
  std::string refused;
  auto next = answers->begin();
  for (std::size_t i = 0; i < asked.refused.size(); ++i)
    if (asked.refused[i]) {
      refused += (refused.empty() ? "" : ",") + refusal_at("candidate", i, *asked.refused[i]);
    } else {
      auto& prediction = std::get<Parts::Prediction>(*next++);
      ranking.push_back({i, prediction.score, std::move(prediction.json)});
    }
  // Stable: of equal scores the earlier candidate first. A NaN is behind all others.
  std::ranges::stable_sort(ranking, [](const RankedCandidate& a, const RankedCandidate& b) {
    return std::isnan(b.score) ? !std::isnan(a.score) : a.score > b.score;
  });
  ranking.resize(std::min(ranking.size(), request->k));
  return {200, ranking_json(plan, ranking, refused)};
}

auto Engine::Parts::answer_questions(const ModelPlan& plan, const QuestionBatch& questions,
                                     double began_s, bool features)
    -> Result<std::vector<AnsweredQuestion>> {
  std::vector<AnsweredQuestion> answers;
  std::int64_t refused = 0;
  if (questions.at_us.empty()) return answers;
  // semantics: T3, P1. Everything before this position is in the state, nothing at or after it.
  const Position position = log.next_position();
  COEVAL_ASSIGN(const ScoredQuestions scored,
                score_questions(plan, *kernel, questions, evaluation));

  const models::ServedModel& served = *plan.loaded.served;
  const std::size_t outputs = served.card.outputs();
  stores::PredictionRecord record;
  record.model = plan.name;
  record.version = plan.loaded.version;
  record.ir_hash = served.card.ir_hash;
  record.bits_id = served.card.bits_id;
  record.position = position;
  record.latency_us = microseconds_since(began_s);
  for (std::size_t i = 0; i < questions.at_us.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    if (!scored.stale.empty() && scored.stale[i]) {
      answers.emplace_back(*scored.stale[i]);
      ++refused;
      continue;
    }
    record.at_us = questions.at_us[i];
    take_answer(record, served.card, std::span(scored.margins).subspan(i * outputs, outputs),
                std::span(scored.scores).subspan(i * outputs, outputs));
    record.question = data::encode_row(questions.rows, row);
    record.features = data::encode_row(scored.features, row);
    record.approximate = scored.approximate[i];
    COEVAL_TRY(log_prediction(record));
    std::string answer;
    append_prediction(answer, record, served.card);
    if (features) append_features(answer, scored.features, row);
    answer += '}';
    answers.emplace_back(Prediction{std::move(answer), record.score});
  }
  counters.predictions(plan.name, plan.loaded.version,
                       static_cast<std::int64_t>(answers.size()) - refused);
  counters.refused(plan.name, plan.loaded.version, refused);
  return answers;
}

}  // namespace coeval::serving
