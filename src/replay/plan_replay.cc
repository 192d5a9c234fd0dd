#include "replay/plan_replay.h"

#include <algorithm>
#include <bit>
#include <map>
#include <set>

#include "base/worker_pool.h"
#include "data/row_codec.h"
#include "define/row_schemas.h"
#include "kernel/event_index.h"
#include "kernel/kernel.h"
#include "kernel/question_stages.h"
#include "replay/dataset.h"
#include "replay/fold.h"
#include "replay/log_events.h"
#include "replay/log_rows.h"
#include "replay/past.h"
#include "replay/play_stages.h"
#include "replay/play_view.h"
#include "replay/retention.h"
#include "stats/multiclass.h"

namespace coeval::replay {

namespace {

constexpr std::size_t kRecordsInMemory = 1u << 18;

using Records = std::vector<stores::PredictionRecord>;

bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

// A version that the log names, and how the new definition sees it.
struct Version {
  AuditedModel audited;
  const define::Model* now = nullptr;  // of the new definition; null when it has no such model
  std::vector<int> views;              // that `now` reads
  RemovedPast removed;                 // what these no longer can be asked about
  std::vector<std::size_t> places;     // per input of the version, its place among those of `now`
  PlanReplayVersion report;
  std::vector<PlanExample> score_examples;  // kept apart: decisions are shown first
  Records records;

  const define::Model& then() const {
    return audited.project->models[static_cast<std::size_t>(audited.model)];
  }
  bool is_comparable() const { return report.obstacles.empty(); }
};

using Versions = std::map<std::pair<std::string, int>, Version>;

bool is_wanted(const stores::PredictionRecord& record, const PlanReplayOptions& options) {
  return !options.since_us || record.at_us >= *options.since_us;
}

class Replay {
 public:
  Replay(std::shared_ptr<const define::Project> project, const OpenFormat& formats,
         const stores::EventLog& log, const FindModel& find, const PlanReplayOptions& options)
      : project_(std::move(project)),
        formats_(formats),
        log_(log),
        find_(find),
        options_(options),
        pool_(options.threads) {}

  Result<PlanReplay> run() {
    COEVAL_TRY(survey());
    const bool any = std::ranges::any_of(
        versions_, [](const auto& entry) { return entry.second.is_comparable(); });
    if (any) COEVAL_TRY(play());
    PlanReplay out;
    for (auto& [key, version] : versions_) {
      settle_examples(version);
      out.predictions += version.report.predictions;
      out.versions.push_back(std::move(version.report));
    }
    return out;
  }

 private:
  // Calls `take` for each prediction that is wanted and each other record, until it fails.
  Status read_log(const std::function<Status(const stores::Record&,
                                             std::optional<stores::PredictionRecord>)>& take) {
    Status failed;
    COEVAL_TRY(log_.read(Position{0}, [&](const stores::Record& record) {
      if (record.kind != stores::RecordKind::prediction) {
        failed = take(record, std::nullopt);
        return failed.has_value();
      }
      auto prediction = stores::decode_prediction(record.payload);
      if (!prediction)
        failed = std::unexpected(std::move(prediction).error());
      else if (is_wanted(*prediction, options_))
        failed = take(record, std::move(*prediction));
      return failed.has_value();
    }));
    return failed;
  }

  // First pass: which versions there are.
  Status survey() {
    return read_log(
        [&](const stores::Record&, std::optional<stores::PredictionRecord> found) -> Status {
          if (!found) return {};
          const std::pair key{found->model, found->version};
          auto at = versions_.find(key);
          if (at == versions_.end()) {
            COEVAL_ASSIGN(Version version, meet(found->model, found->version));
            at = versions_.emplace(key, std::move(version)).first;
          }
          ++at->second.report.predictions;
          return {};
        });
  }

  Result<Version> meet(const std::string& model, int number) {
    Version version;
    COEVAL_ASSIGN(version.audited, find_(model, number));
    version.report.model = model;
    version.report.version = number;
    version.now = project_->find_model(model);
    if (version.now == nullptr) {
      version.report.obstacles = {"the definition has no model '" + model + "' any more"};
      return version;
    }
    version.report.obstacles = obstacles_between(version.then(), *version.now);
    if (!version.is_comparable()) return version;
    version.views = views_of(version.now->row);
    COEVAL_ASSIGN(const auto trim, log_.trim());
    version.removed = RemovedPast(*project_, version.views, trim);
    for (const auto& input : version.then().inputs)
      version.places.push_back(static_cast<std::size_t>(
          std::ranges::find(version.now->inputs, input.name, &define::Input::name) -
          version.now->inputs.begin()));
    return version;
  }

  // Second pass: the log from its begin, with every event in its place. (semantics: T3 T9)
  Status play() {
    std::set<int> views;
    for (const auto& [key, version] : versions_)
      if (version.is_comparable()) views.insert(version.views.begin(), version.views.end());
    views_.assign(views.begin(), views.end());
    const std::vector<int> sources = sources_of(*project_, views_);
    COEVAL_ASSIGN(kernel_, kernel::Kernel::create(project_, views_));
    names_ = std::make_unique<kernel::EventIndexes>(*project_);
    COEVAL_ASSIGN(const auto cut, read_cut(log_));
    std::optional<std::int64_t> cut_us;
    if (cut) cut_us = cut->cut_us;
    COEVAL_TRY(fold_files(*kernel_, *names_, sources, formats_, cut_us, options_.threads));
    COEVAL_ASSIGN(auto collector, LogCollector::create(*project_, sources, log_));
    std::size_t held = 0;
    const auto take = [&](const stores::Record& record,
                          std::optional<stores::PredictionRecord> found) -> Status {
      if (found) {
        Version& version = versions_.at({found->model, found->version});
        if (version.removed.is_seen_at(found->at_us))
          ++version.report.beyond_retention;
        else if (version.is_comparable())
          version.records.push_back(std::move(*found));
      } else {
        COEVAL_TRY(collector.add(record));
      }
      if (++held < kRecordsInMemory) return {};
      held = 0;
      return flush(collector);
    };
    COEVAL_TRY(read_log(take));
    return flush(collector);
  }

  struct Asked {
    Version* version = nullptr;
    data::Batch columns;
    std::vector<std::int64_t> at_us;
    kernel::QuestionBlock block;
    std::vector<std::vector<data::Column>> features;  // by view
    std::vector<data::Column> answers;                // by RowSchema::view_features
  };

  Status flush(LogCollector& collector) {
    COEVAL_ASSIGN(const auto events, prepare_logged(*kernel_, *names_, collector));
    std::vector<Asked> asked;
    for (auto& [key, version] : versions_) {
      if (version.records.empty()) continue;
      COEVAL_ASSIGN(auto questions, questions_of(version));
      asked.push_back(std::move(questions));
    }
    COEVAL_TRY(is_staged() ? answer_stages(events, asked) : answer_views(events, asked));
    for (auto& questions : asked) {
      COEVAL_TRY(judge(questions));
      questions.version->records.clear();
    }
    return {};
  }

  Result<Asked> questions_of(Version& version) {
    Asked asked;
    asked.version = &version;
    std::ranges::stable_sort(version.records, {}, &stores::PredictionRecord::position);
    std::vector<std::string> rows;
    for (const auto& record : version.records) {
      rows.push_back(record.question);
      asked.at_us.push_back(record.at_us);
    }
    COEVAL_ASSIGN(asked.columns, decode_rows(define::question_schema(version.then()), rows));
    asked.features.resize(project_->views.size());
    return asked;
  }

  // Whether a question's keys are found by other views.
  bool is_staged() const {
    return std::ranges::any_of(versions_, [](const auto& entry) {
      return entry.second.is_comparable() && !entry.second.now->row.keys.empty();
    });
  }

  Status answer_stages(const std::map<int, LoggedEvents>& events, std::vector<Asked>& asked) {
    std::vector<StagedQuestions> questions;
    for (auto& one : asked)
      questions.push_back(
          {&one.version->now->row, &one.columns, one.at_us, one.version->records, {}});
    COEVAL_TRY(play_stages(*kernel_, events, questions));
    for (std::size_t i = 0; i < asked.size(); ++i)
      asked[i].answers = std::move(questions[i].answers);
    return {};
  }

  Status answer_views(const std::map<int, LoggedEvents>& events, std::vector<Asked>& asked) {
    for (auto& one : asked) {
      COEVAL_ASSIGN(one.block,
                    kernel_->prepare_questions(one.columns, one.at_us, one.version->views));
    }
    static const LoggedEvents kNone;
    pool_.run(views_.size(), [&](std::size_t i) {
      const int source = project_->views[static_cast<std::size_t>(views_[i])].source;
      const auto found = events.find(source);
      answer_view(views_[i], found == events.end() ? kNone : found->second, asked);
    });
    for (auto& one : asked) one.answers = pick_features(one.version->now->row, one.features);
    return {};
  }

  void answer_view(int view, const LoggedEvents& events, std::vector<Asked>& asked) {
    std::vector<LoggedQuestions> questions;
    for (auto& one : asked)
      if (std::ranges::count(one.version->views, view) > 0)
        questions.push_back(
            {&one.block, one.version->records, &one.features[static_cast<std::size_t>(view)]});
    play_view(*kernel_, view, events.block, events.positions, questions);
  }

  // The version's inputs by the new definition, in the version's order, and which questions that
  // would refuse.
  struct Inputs {
    data::Batch values;
    std::vector<int> stale;
  };
  Result<Inputs> inputs_of(const Asked& asked) {
    const Version& version = *asked.version;
    COEVAL_ASSIGN(const data::Batch row,
                  kernel::assemble_row(version.now->row, asked.columns, asked.answers));
    kernel::EvaluationCounts counts;
    const data::Batch now = kernel::evaluate_inputs(version.now->inputs, row, asked.at_us, counts);
    data::Batch inputs;
    inputs.schema = define::input_schema(version.then().inputs);
    inputs.rows = now.rows;
    for (const std::size_t place : version.places) inputs.columns.push_back(now.columns[place]);
    return Inputs{std::move(inputs), kernel::stale_questions(version.now->row, row)};
  }

  Status judge(Asked& asked) {
    Version& version = *asked.version;
    const auto& served = *version.audited.served;
    COEVAL_ASSIGN(const Inputs found, inputs_of(asked));
    const data::Batch& inputs = found.values;
    std::vector<float> matrix(asked.at_us.size() * served.encoder.width());
    COEVAL_TRY(served.encoder.encode(inputs, matrix));
    const std::size_t rows = asked.at_us.size(), outputs = served.card.outputs();
    std::vector<float> margins(rows * outputs), scores(rows * outputs);
    COEVAL_TRY(served.predict(matrix, margins, scores));
    for (std::size_t i = 0; i < rows; ++i) {
      const bool refused = !found.stale.empty() && found.stale[i] >= 0;
      version.report.refused += refused ? 1 : 0;
      if (refused) continue;  // nothing to compare
      COEVAL_TRY(judge_one(version, i, inputs, std::span(scores).subspan(i * outputs, outputs)));
    }
    done_ += static_cast<std::int64_t>(rows);
    if (options_.progress) options_.progress(done_);
    return {};
  }

  // What was decided when it was served; null of what decides nothing.
  static data::Json decision_then(const models::ModelCard& card,
                                  const stores::PredictionRecord& record) {
    if (!card.classes.empty()) return card.classes.at(record.decided_class);
    return card.decides() ? data::Json(record.decision) : data::Json();
  }

  // What the new definition decides by the same scores; null where it decides nothing by them.
  static data::Json decision_now(const define::Model& model, std::span<const float> scores) {
    const bool of_classes = model.kind == define::ModelKind::multiclass;
    if (of_classes && model.classes.size() == scores.size())
      return model.classes[stats::decided_class(scores, model.cost_matrix)];
    if (model.kind != define::ModelKind::binary || scores.size() != 1) return {};
    return static_cast<double>(scores[0]) >= model.threshold;
  }

  static bool differs(const stores::PredictionRecord& record, std::span<const float> scores) {
    if (record.class_scores.empty()) return !same_bits(scores[0], record.score);
    return !std::ranges::equal(scores, record.class_scores, same_bits);
  }

  Status judge_one(Version& version, std::size_t i, const data::Batch& inputs,
                   std::span<const float> scores) {
    const auto& record = version.records[i];
    const auto row = static_cast<std::int64_t>(i);
    PlanReplayVersion& report = version.report;
    const models::ModelCard& card = version.audited.served->card;
    const float score = scores[card.decided(scores)];
    const data::Json before = decision_then(card, record),
                     after = decision_now(*version.now, scores);
    const bool features_differ = data::encode_row(inputs, row) != record.features;
    const bool score_differs = differs(record, scores);
    const bool decision_differs = before.dump() != after.dump();
    report.features_differ += features_differ ? 1 : 0;
    report.scores_differ += score_differs ? 1 : 0;
    report.decisions_differ += decision_differs ? 1 : 0;
    auto& examples = decision_differs ? report.examples : version.score_examples;
    if ((!score_differs && !decision_differs) || examples.size() >= options_.max_examples)
      return {};
    PlanExample example{record.id, record.at_us, record.score, score, before, after, {}, {}, {}};
    if (features_differ) COEVAL_TRY(name_feature(record, inputs, row, example));
    examples.push_back(std::move(example));
    return {};
  }

  // The first input of other bits.
  static Status name_feature(const stores::PredictionRecord& record, const data::Batch& inputs,
                             std::int64_t row, PlanExample& example) {
    const std::vector<std::string> rows = {record.features};
    COEVAL_ASSIGN(const data::Batch served, decode_rows(inputs.schema, rows));
    for (std::size_t i = 0; i < inputs.columns.size(); ++i) {
      const data::Field& field = inputs.schema.fields[i];
      const data::Batch then{{{field}}, {served.columns[i]}, 1};
      const data::Batch now{{{field}}, {inputs.columns[i]}, inputs.rows};
      if (data::encode_row(then, 0) == data::encode_row(now, row)) continue;
      example.feature = field.name;
      example.before = data::to_text(served.columns[i].value(0), field.type);
      example.after = data::to_text(inputs.columns[i].value(row), field.type);
      break;
    }
    return {};
  }

  void settle_examples(Version& version) const {
    auto& examples = version.report.examples;
    for (auto& example : version.score_examples)
      if (examples.size() < options_.max_examples) examples.push_back(std::move(example));
  }

  std::shared_ptr<const define::Project> project_;
  const OpenFormat& formats_;
  const stores::EventLog& log_;
  const FindModel& find_;
  const PlanReplayOptions& options_;
  WorkerPool pool_;
  Versions versions_;
  std::vector<int> views_;
  std::unique_ptr<kernel::Kernel> kernel_;
  std::unique_ptr<kernel::EventIndexes> names_;
  std::int64_t done_ = 0;
};

std::string type_name(data::Type type) { return std::string(data::name(type)); }

}  // namespace

std::vector<std::string> obstacles_between(const define::Model& served, const define::Model& now) {
  std::vector<std::string> obstacles;
  for (const auto& input : served.inputs) {
    const auto found = std::ranges::find(now.inputs, input.name, &define::Input::name);
    if (found == now.inputs.end())
      obstacles.push_back("input '" + input.name + "' is gone");
    else if (found->type != input.type)
      obstacles.push_back("input '" + input.name + "' was " + type_name(input.type) +
                          " and is now " + type_name(found->type));
  }
  const data::Schema asked = define::question_schema(served);
  for (const auto& field : define::question_schema(now).fields) {
    const int place = asked.index_of(field.name);
    if (place < 0)
      obstacles.push_back("questions were not asked for '" + field.name +
                          "', which the new inputs read");
    else if (place >= 0 && asked.fields[static_cast<std::size_t>(place)].type != field.type)
      obstacles.push_back("question column '" + field.name + "' was " +
                          type_name(asked.fields[static_cast<std::size_t>(place)].type) +
                          " and is now " + type_name(field.type));
  }
  return obstacles;
}

Result<PlanReplay> plan_replay(std::shared_ptr<const define::Project> project,
                               const OpenFormat& formats, const stores::EventLog& log,
                               const FindModel& find_model, const PlanReplayOptions& options) {
  return Replay(std::move(project), formats, log, find_model, options).run();
}

}  // namespace coeval::replay
