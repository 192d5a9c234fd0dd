#include "replay/audit.h"

#include <algorithm>
#include <set>

#include "base/worker_pool.h"
#include "data/hash.h"
#include "define/row_schemas.h"
#include "kernel/event_index.h"
#include "kernel/question_stages.h"
#include "replay/compare.h"
#include "replay/dataset.h"
#include "replay/fold.h"
#include "replay/log_events.h"
#include "replay/log_rows.h"
#include "replay/play_stages.h"
#include "replay/play_view.h"
#include "replay/retention.h"

namespace coeval::replay {

namespace {

constexpr std::size_t kRecordsInMemory = 1u << 18;

using Records = std::vector<stores::PredictionRecord>;

std::string version_name(const std::string& model, int version) {
  return model + "@v" + std::to_string(version);
}

// The versions that the log names, found once each.
class Versions {
 public:
  explicit Versions(const FindModel& find) : find_(find) {}

  Result<const AuditedModel*> get(const std::string& model, int version) {
    const std::string key = version_name(model, version);
    auto at = found_.find(key);
    if (at == found_.end()) {
      COEVAL_ASSIGN(AuditedModel audited, find_(model, version));
      at = found_.emplace(key, std::move(audited)).first;
    }
    return &at->second;
  }
  const std::map<std::string, AuditedModel>& all() const { return found_; }

 private:
  const FindModel& find_;
  std::map<std::string, AuditedModel> found_;
};

// First pass: what the log holds, without keeping it.
Result<std::int64_t> survey(const stores::EventLog& log, std::optional<std::int64_t> since_us,
                            Versions& versions) {
  std::int64_t predictions = 0;
  Status failed;
  COEVAL_TRY(log.read(Position{0}, [&](const stores::Record& record) {
    if (record.kind != stores::RecordKind::prediction) return true;
    auto prediction = stores::decode_prediction(record.payload);
    if (!prediction) {
      failed = std::unexpected(std::move(prediction).error());
      return false;
    }
    if (since_us && prediction->at_us < *since_us) return true;
    ++predictions;
    if (auto known = versions.get(prediction->model, prediction->version); !known)
      failed = std::unexpected(std::move(known).error());
    return failed.has_value();
  }));
  COEVAL_TRY(std::move(failed));
  return predictions;
}

// Shared by both modes: counts, and keeps the first differences with their explanation.
class Tally {
 public:
  Tally(const AuditOptions& options, AuditReport& report) : options_(options), report_(report) {}

  void pass_over() { ++report_.beyond_retention; }

  using Explain = std::function<Result<std::vector<std::string>>(const AuditDifference&,
                                                                 const stores::PredictionRecord&)>;
  Status add(const AuditedModel& audited, std::span<const stores::PredictionRecord> records,
             const data::Batch& inputs, std::span<const int> stale, const Explain& explain) {
    COEVAL_ASSIGN(auto outcomes, compare(audited, records, inputs, stale));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      ++report_.predictions;
      ++report_.by_model[version_name(records[i].model, records[i].version)];
      if (!outcomes[i]) continue;
      ++report_.differ;
      ++report_.by_input[outcomes[i]->what];
      if (report_.differences.size() >= options_.max_explained) continue;
      COEVAL_ASSIGN(outcomes[i]->explanation, explain(*outcomes[i], records[i]));
      report_.differences.push_back(std::move(*outcomes[i]));
    }
    if (options_.progress) options_.progress(report_.predictions);
    return {};
  }

 private:
  const AuditOptions& options_;
  AuditReport& report_;
};

// The view feature behind an input's name, if the input is one.
std::optional<define::ViewFeature> feature_named(const define::Model& model,
                                                 const std::string& name) {
  const std::size_t own = model.row.question_columns.size();
  for (std::size_t i = 0; i < model.row.view_features.size(); ++i)
    if (model.row.schema.fields[own + i].name == name) return model.row.view_features[i];
  for (const auto& input : model.inputs) {
    if (input.name != name) continue;
    for (const int column : define::columns_read(*input.expr))
      if (column >= static_cast<int>(own))
        return model.row.view_features[static_cast<std::size_t>(column) - own];
  }
  return std::nullopt;
}

std::string event_line(const WindowEvent& event) {
  return "  " + event.place + ": " + event.content + ", known " + format_time(event.known_us);
}

std::string window_line(const FeatureExplanation& window, const std::string& who) {
  return window.feature + " [" + window.key + "] in " +
         (window.from_us < -(1LL << 60) ? "all time" : "[" + format_time(window.from_us)) + ", " +
         format_time(window.to_us) + "): " + who + " " + window.arithmetic;
}

// One audit of every prediction served under one definition, by the log.
class LogPass {
 public:
  LogPass(std::shared_ptr<const define::Project> project, const OpenFormat& formats,
          const stores::EventLog& log, const AuditOptions& options, Tally& tally)
      : project_(std::move(project)),
        formats_(formats),
        log_(log),
        options_(options),
        tally_(tally),
        pool_(options.threads) {}

  Status run(const std::map<std::string, AuditedModel>& versions) {
    COEVAL_TRY(prepare(versions));
    COEVAL_ASSIGN(auto collector, LogCollector::create(*project_, sources_, log_));
    std::size_t held = 0;
    Status failed;
    COEVAL_TRY(log_.read(Position{0}, [&](const stores::Record& record) {
      failed = take(record, collector);
      if (failed && ++held == kRecordsInMemory) {
        failed = flush(collector);
        held = 0;
      }
      return failed.has_value();
    }));
    COEVAL_TRY(std::move(failed));
    return flush(collector);
  }

 private:
  struct Group {
    const AuditedModel* audited = nullptr;
    std::vector<int> views;
    Records records;
    RemovedPast removed;
  };

  const define::Model& model_of(const Group& group) const {
    return project_->models[static_cast<std::size_t>(group.audited->model)];
  }

  Status prepare(const std::map<std::string, AuditedModel>& versions) {
    COEVAL_ASSIGN(const auto trim, log_.trim());
    std::set<int> views;
    for (const auto& [name, audited] : versions) {
      if (audited.project->ir_hash != project_->ir_hash) continue;
      Group group{&audited,
                  views_of(project_->models[static_cast<std::size_t>(audited.model)].row),
                  {},
                  {}};
      group.removed = RemovedPast(*project_, group.views, trim);
      views.insert(group.views.begin(), group.views.end());
      groups_.emplace(name, std::move(group));
    }
    views_.assign(views.begin(), views.end());
    sources_ = sources_of(*project_, views_);
    COEVAL_ASSIGN(kernel_, kernel::Kernel::create(project_, views_));
    names_ = std::make_unique<kernel::EventIndexes>(*project_);
    return fold_history();
  }

  Status fold_history() {
    COEVAL_ASSIGN(const auto cut, read_cut(log_));
    std::optional<std::int64_t> cut_us;
    if (cut) cut_us = cut->cut_us;
    COEVAL_TRY(fold_files(*kernel_, *names_, sources_, formats_, cut_us, options_.threads));
    return {};
  }

  Status take(const stores::Record& record, LogCollector& collector) {
    if (record.kind == stores::RecordKind::event) return collector.add(record);
    if (record.kind != stores::RecordKind::prediction) return {};
    COEVAL_ASSIGN(auto prediction, stores::decode_prediction(record.payload));
    if (options_.since_us && prediction.at_us < *options_.since_us) return {};
    const auto group = groups_.find(version_name(prediction.model, prediction.version));
    if (group == groups_.end()) return {};
    if (group->second.removed.is_seen_at(prediction.at_us))
      tally_.pass_over();
    else
      group->second.records.push_back(std::move(prediction));
    return {};
  }

  struct ChunkQuestions {
    Group* group = nullptr;
    data::Batch columns;
    kernel::QuestionBlock block;
    std::vector<std::int64_t> at_us;
    std::vector<std::vector<data::Column>> features;  // by view
    std::vector<data::Column> answers;                // by RowSchema::view_features
  };

  Status flush(LogCollector& collector) {
    COEVAL_ASSIGN(auto events, prepare_logged(*kernel_, *names_, collector));
    std::vector<ChunkQuestions> asked;
    for (auto& [name, group] : groups_) {
      COEVAL_ASSIGN(auto questions, questions_of(group));
      asked.push_back(std::move(questions));
    }
    if (is_staged()) {
      COEVAL_TRY(replay_stages(events, asked));
    } else {
      for (auto& one : asked) {
        COEVAL_ASSIGN(one.block,
                      kernel_->prepare_questions(one.columns, one.at_us, one.group->views));
      }
      static const LoggedEvents kNone;
      pool_.run(views_.size(), [&](std::size_t i) {
        const auto found = events.find(project_->views[static_cast<std::size_t>(views_[i])].source);
        replay_view(views_[i], found == events.end() ? kNone : found->second, asked);
      });
      for (auto& one : asked) one.answers = pick_features(model_of(*one.group).row, one.features);
    }
    for (auto& questions : asked) COEVAL_TRY(judge(questions));
    return {};
  }

  // Whether a question's keys are found by other views.
  bool is_staged() const {
    return std::ranges::any_of(
        groups_, [&](const auto& group) { return !model_of(group.second).row.keys.empty(); });
  }

  Status replay_stages(const std::map<int, LoggedEvents>& events,
                       std::vector<ChunkQuestions>& asked) {
    std::vector<StagedQuestions> questions;
    for (auto& one : asked)
      questions.push_back(
          {&model_of(*one.group).row, &one.columns, one.at_us, one.group->records, {}});
    COEVAL_TRY(play_stages(*kernel_, events, questions));
    for (std::size_t i = 0; i < asked.size(); ++i)
      asked[i].answers = std::move(questions[i].answers);
    return {};
  }

  Result<ChunkQuestions> questions_of(Group& group) {
    ChunkQuestions asked;
    asked.group = &group;
    std::stable_sort(group.records.begin(), group.records.end(),
                     [](const auto& a, const auto& b) { return a.position < b.position; });
    std::vector<std::string> rows;
    for (const auto& record : group.records) {
      rows.push_back(record.question);
      asked.at_us.push_back(record.at_us);
    }
    COEVAL_ASSIGN(asked.columns, decode_rows(define::question_schema(model_of(group)), rows));
    asked.features.resize(project_->views.size());
    return asked;
  }

  void replay_view(int view, const LoggedEvents& events, std::vector<ChunkQuestions>& asked) {
    std::vector<LoggedQuestions> questions;
    for (auto& one : asked)
      if (std::ranges::count(one.group->views, view) > 0)
        questions.push_back(
            {&one.block, one.group->records, &one.features[static_cast<std::size_t>(view)]});
    play_view(*kernel_, view, events.block, events.positions, questions);
  }

  Status judge(ChunkQuestions& asked) {
    Group& group = *asked.group;
    if (group.records.empty()) return {};
    const auto& model = model_of(group);
    COEVAL_ASSIGN(const data::Batch row,
                  kernel::assemble_row(model.row, asked.columns, asked.answers));
    kernel::EvaluationCounts counts;
    const data::Batch inputs = kernel::evaluate_inputs(model.inputs, row, asked.at_us, counts);
    const auto explain = [&](const AuditDifference& found, const stores::PredictionRecord& record) {
      return explain_by_log(model, found, record);
    };
    COEVAL_TRY(tally_.add(*group.audited, group.records, inputs,
                          kernel::stale_questions(model.row, row), explain));
    group.records.clear();
    return {};
  }

  Result<std::vector<std::string>> explain_by_log(const define::Model& model,
                                                  const AuditDifference& found,
                                                  const stores::PredictionRecord& record) {
    std::vector<std::string> lines;
    const auto feature = feature_named(model, found.what);
    if (!feature) return lines;
    if (!past_) {
      COEVAL_ASSIGN(const auto cut, read_cut(log_));
      PastOptions options;
      options.sources = sources_;
      if (cut) options.cut_us = cut->cut_us;
      options.log = &log_;
      COEVAL_ASSIGN(past_, load_past(*project_, formats_, options));
    }
    const std::vector<std::string> rows = {record.question};
    COEVAL_ASSIGN(const auto question, decode_rows(define::question_schema(model), rows));
    const Visibility seen{record.at_us, record.position.value};
    COEVAL_ASSIGN(const auto asked, with_keys(*project_, *past_, model.row, question, seen));
    COEVAL_ASSIGN(const auto window,
                  explain_feature(*project_, *past_, *feature, asked.columns, seen));
    lines.push_back(window_line(window, "the log gives"));
    for (std::size_t i = 0; i < window.events.size() && i < 5; ++i)
      lines.push_back(event_line(window.events[window.events.size() - 1 - i]));
    return lines;
  }

  std::shared_ptr<const define::Project> project_;
  const OpenFormat& formats_;
  const stores::EventLog& log_;
  const AuditOptions& options_;
  Tally& tally_;
  WorkerPool pool_;
  std::vector<int> views_, sources_;
  std::map<std::string, Group> groups_;
  std::unique_ptr<kernel::Kernel> kernel_;
  std::unique_ptr<kernel::EventIndexes> names_;
  std::optional<Past> past_;
};

// The other mode: the same questions answered from the files alone, as training saw them.
class DatasetPass {
 public:
  DatasetPass(const OpenFormat& formats, const stores::EventLog& log, const AuditOptions& options,
              Tally& tally)
      : formats_(formats), log_(log), options_(options), tally_(tally) {}

  Status run(const std::string& name, const AuditedModel& audited) {
    name_ = name;
    audited_ = &audited;
    model_ = &audited.project->models[static_cast<std::size_t>(audited.model)];
    PastOptions claimed;
    claimed.sources = sources_of(*audited.project, views_of(model_->row));
    COEVAL_ASSIGN(claimed_, load_past(*audited.project, formats_, claimed));
    Records records;
    Status failed;
    COEVAL_TRY(log_.read(Position{0}, [&](const stores::Record& record) {
      failed = take(record, records);
      if (failed && records.size() == 4 * kRecordsInMemory) failed = flush(records);
      return failed.has_value();
    }));
    COEVAL_TRY(std::move(failed));
    return flush(records);
  }

 private:
  Status take(const stores::Record& record, Records& records) {
    if (record.kind != stores::RecordKind::prediction) return {};
    COEVAL_ASSIGN(auto prediction, stores::decode_prediction(record.payload));
    if (options_.since_us && prediction.at_us < *options_.since_us) return {};
    if (version_name(prediction.model, prediction.version) == name_)
      records.push_back(std::move(prediction));
    return {};
  }

  Status flush(Records& records) {
    if (records.empty()) return {};
    Questions questions;
    std::vector<std::string> rows;
    for (const auto& record : records) {
      rows.push_back(record.question);
      questions.at_us.push_back(record.at_us);
    }
    COEVAL_ASSIGN(questions.columns, decode_rows(define::question_schema(*model_), rows));
    AnswerOptions answering;
    answering.threads = options_.threads;
    const auto sink = [&](Answers answers) -> Status {
      Records block;
      for (const std::int64_t row : answers.rows)
        block.push_back(records[static_cast<std::size_t>(row)]);
      const auto explain = [&](const AuditDifference& found,
                               const stores::PredictionRecord& record) {
        return explain_by_dataset(found, record);
      };
      return tally_.add(*audited_, block, answers.inputs, answers.stale, explain);
    };
    COEVAL_TRY(answer(audited_->project, claimed_, questions, model_->row, model_->inputs,
                      answering, sink));
    records.clear();
    return {};
  }

  Status load_served_past() {
    if (served_) return {};
    COEVAL_ASSIGN(const auto cut, read_cut(log_));
    PastOptions options;
    options.sources = sources_of(*audited_->project, views_of(model_->row));
    if (cut) options.cut_us = cut->cut_us;
    options.log = &log_;
    COEVAL_ASSIGN(served_, load_past(*audited_->project, formats_, options));
    return {};
  }

  // Which events made the difference: those that only one of the two windows holds.
  Result<std::vector<std::string>> explain_by_dataset(const AuditDifference& found,
                                                      const stores::PredictionRecord& record) {
    std::vector<std::string> lines;
    const auto feature = feature_named(*model_, found.what);
    if (!feature) return lines;
    COEVAL_TRY(load_served_past());
    const std::vector<std::string> rows = {record.question};
    COEVAL_ASSIGN(const auto question, decode_rows(define::question_schema(*model_), rows));
    const auto& project = *audited_->project;
    const auto explained = [&](const Past& past,
                               std::uint64_t position) -> Result<FeatureExplanation> {
      const Visibility seen{record.at_us, position};
      COEVAL_ASSIGN(const auto asked, with_keys(project, past, model_->row, question, seen));
      return explain_feature(project, past, *feature, asked.columns, seen);
    };
    COEVAL_ASSIGN(const auto claimed, explained(claimed_, ~std::uint64_t{0}));
    COEVAL_ASSIGN(const auto served, explained(*served_, record.position.value));
    lines.push_back(window_line(claimed, "the dataset has"));
    lines.push_back(window_line(served, "the server had"));
    only_in(claimed, served, "counted by the dataset, but not yet there when it was served", lines);
    only_in(served, claimed, "there when it was served, but not counted by the dataset", lines);
    return lines;
  }

  static void only_in(const FeatureExplanation& these, const FeatureExplanation& those,
                      const std::string& what, std::vector<std::string>& lines) {
    std::multiset<std::string> others;
    for (const auto& event : those.events) others.insert(event.content);
    std::vector<const WindowEvent*> only;
    for (const auto& event : these.events) {
      const auto at = others.find(event.content);
      if (at == others.end())
        only.push_back(&event);
      else
        others.erase(at);
    }
    if (only.empty()) return;
    lines.push_back(std::to_string(only.size()) + " " + what + ", the newest:");
    for (std::size_t i = 0; i < only.size() && i < 3; ++i)
      lines.push_back(event_line(*only[only.size() - 1 - i]));
  }

  const OpenFormat& formats_;
  const stores::EventLog& log_;
  const AuditOptions& options_;
  Tally& tally_;
  std::string name_;
  const AuditedModel* audited_ = nullptr;
  const define::Model* model_ = nullptr;
  Past claimed_;
  std::optional<Past> served_;
};

// The log names the files that it goes on from; another file is another past.
Status compare_files(const stores::EventLog& log, const define::Project& project,
                     std::vector<std::string>& doubts) {
  COEVAL_ASSIGN(const auto cut, read_cut(log));
  if (!cut) return {};
  for (const auto& [name, sha256] : cut->files) {
    const int source = project.source_index(name);
    const std::string path = source < 0 ? std::string{} : source_path(project, source);
    if (path.empty()) continue;
    COEVAL_ASSIGN(const std::string now, data::sha256_of_file(path));
    const std::string doubt =
        "source " + name + ": " + path + " is not the file that the log was started from";
    if (now != sha256 && std::find(doubts.begin(), doubts.end(), doubt) == doubts.end())
      doubts.push_back(doubt);
  }
  return {};
}

}  // namespace

Result<AuditReport> audit(const OpenFormat& formats, const stores::EventLog& log,
                          const FindModel& find_model, const AuditOptions& options) {
  Versions versions(find_model);
  COEVAL_ASSIGN(const std::int64_t expected, survey(log, options.since_us, versions));
  AuditReport report;
  Tally tally(options, report);
  COEVAL_ASSIGN(const auto trim, log.trim());
  if (trim) report.removed = removed_text(*trim);
  if (options.mode == AuditMode::dataset) {
    for (const auto& [name, audited] : versions.all()) {
      DatasetPass pass(formats, log, options, tally);
      COEVAL_TRY(pass.run(name, audited));
    }
  } else {
    std::map<std::string, std::shared_ptr<const define::Project>> definitions;
    for (const auto& [name, audited] : versions.all())
      definitions.emplace(audited.project->ir_hash, audited.project);
    for (const auto& [hash, project] : definitions) {
      COEVAL_TRY(compare_files(log, *project, report.doubts));
      LogPass pass(project, formats, log, options, tally);
      COEVAL_TRY(pass.run(versions.all()));
    }
  }
  const std::int64_t seen = report.predictions + report.beyond_retention;
  if (seen != expected)
    return fail(Code::internal, "the audit saw " + std::to_string(seen) + " of " +
                                    std::to_string(expected) + " predictions");
  return report;
}

}  // namespace coeval::replay
