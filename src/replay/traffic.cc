#include "replay/traffic.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <thread>

#include "base/clock.h"
#include "base/time.h"
#include "data/json.h"
#include "kernel/evaluate.h"
#include "replay/http_pipe.h"
#include "replay/versions.h"

namespace coeval::replay {

namespace {

// A question of model `asker`, or an event: kEvent sorts after every question of the same moment.
constexpr int kEvent = 1 << 30;
struct Item {
  std::int64_t time_us;
  int asker;
  std::int64_t row;
  friend auto operator<=>(const Item&, const Item&) = default;
};

std::vector<std::int64_t> arrivals(const SourceHistory& history, const TrafficOptions& options) {
  if (!options.arrival) return history.known_us;
  kernel::EvaluationCounts counts;
  const data::Column when = kernel::evaluate(*options.arrival, history.rows, {}, counts);
  std::vector<std::int64_t> out(history.known_us.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    out[i] = when.is_null(row) ? options.to_us : std::max(options.from_us, when.integer(row));
  }
  return out;
}

// Everything that happens in [from, to), in order.
std::vector<Item> timetable(const define::Source& source,
                            const std::vector<const define::Model*>& models,
                            const SourceHistory& history, const TrafficOptions& options) {
  const auto arrival = arrivals(history, options);
  std::vector<Item> items;
  for (std::size_t i = 0; i < arrival.size(); ++i)
    if (history.known_us[i] >= options.from_us && arrival[i] < options.to_us)
      items.push_back({arrival[i], kEvent, static_cast<std::int64_t>(i)});
  for (std::size_t m = 0; m < models.size(); ++m) {
    const auto at =
        history.rows.columns[static_cast<std::size_t>(models[m]->at_index)].values<std::int64_t>();
    for (std::size_t i = 0; i < at.size(); ++i)
      if (at[i] >= options.from_us && at[i] < options.to_us &&
          asks(source, history, static_cast<std::int64_t>(i)))
        items.push_back({at[i], static_cast<int>(m), static_cast<std::int64_t>(i)});
  }
  std::sort(items.begin(), items.end());
  return items;
}

data::Json row_json(const data::Batch& rows, std::int64_t row, std::span<const int> columns) {
  data::Json json{data::Json::Object{}};
  for (const int index : columns) {
    const auto place = static_cast<std::size_t>(index);
    json.set(rows.schema.fields[place].name,
             data::to_json(rows.columns[place].value(row), rows.schema.fields[place].type));
  }
  return json;
}

// Instead of what is taken out of JSON, the columns that hold its text: that is what is sent.
std::vector<int> given_columns(const define::Source& source, std::span<const int> columns) {
  std::vector<int> given;
  for (const int index : columns) {
    const auto& column = source.columns[static_cast<std::size_t>(index)];
    const int sent = column.json ? source.schema.index_of(column.json->column) : index;
    if (std::ranges::find(given, sent) == given.end()) given.push_back(sent);
  }
  return given;
}

data::Column all_null(std::int64_t rows) {
  data::ColumnBuilder builder(data::Type::boolean);
  for (std::int64_t row = 0; row < rows; ++row) builder.append_null();
  return builder.finish();
}

// Keeps what was asked until its answer comes, in order.
class Player {
 public:
  Player(const define::Project& project, const std::vector<const define::Model*>& models,
         const SourceHistory& history, const TrafficOptions& options)
      : source_(project.sources[static_cast<std::size_t>(history.source)]),
        models_(models),
        history_(history),
        options_(options) {
    events_target_ = "/v1/events/" + source_.name;
    for (std::size_t i = 0; i < history.rows.columns.size(); ++i)
      all_columns_.push_back(static_cast<int>(i));
    const auto& source = project.sources[static_cast<std::size_t>(history.source)];
    all_columns_ = given_columns(source, all_columns_);
    for (const auto* model : models)
      question_columns_.push_back(given_columns(source, model->row.question_columns));
    kernel::EvaluationCounts counts;
    for (const auto* model : models) {
      // Labels that later events bring are not among what is played.
      labels_.push_back(model->label_events
                            ? all_null(history.rows.rows)
                            : kernel::evaluate(*model->label, history.rows, {}, counts));
      report_.models.push_back({model->name, 0, {}, {}, {}});
      report_.models.back().kind = model->kind;
      report_.models.back().classes = model->classes.size();
    }
  }

  Result<TrafficReport> run() {
    const std::vector<Item> items = timetable(source_, models_, history_, options_);
    COEVAL_ASSIGN(HttpPipe pipe,
                  HttpPipe::connect(options_.url, options_.in_flight,
                                    [this](const HttpAnswer& answer) { return take(answer); }));
    const double started = monotonic_seconds();
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (options_.speed > 0) COEVAL_TRY(wait_for(items[i], items.front(), started, pipe));
      asked_.push_back(items[i]);
      COEVAL_TRY(send(items[i], pipe));
      if (options_.progress && i % 4096 == 0)
        options_.progress(static_cast<std::int64_t>(i), static_cast<std::int64_t>(items.size()));
    }
    COEVAL_TRY(pipe.finish());
    report_.seconds = monotonic_seconds() - started;
    return std::move(report_);
  }

 private:
  Status wait_for(const Item& item, const Item& first, double started, HttpPipe& pipe) {
    const double due = static_cast<double>(item.time_us - first.time_us) / 1e6 / options_.speed;
    const double early = due - (monotonic_seconds() - started);
    if (early <= 0.001) return {};
    COEVAL_TRY(pipe.finish());
    std::this_thread::sleep_for(std::chrono::duration<double>(early));
    return {};
  }

  Status send(const Item& item, HttpPipe& pipe) {
    const std::string now = "?now=" + std::to_string(item.time_us);
    if (item.asker == kEvent)
      return pipe.post(events_target_ + now,
                       row_json(history_.rows, item.row, all_columns_).dump());
    const define::Model& model = *models_[static_cast<std::size_t>(item.asker)];
    data::Json question =
        row_json(history_.rows, item.row, question_columns_[static_cast<std::size_t>(item.asker)]);
    question.set("at", format_time(item.time_us));
    return pipe.post("/v1/predict/" + model.name + now, question.dump());
  }

  Status take(const HttpAnswer& answer) {
    const Item item = asked_.front();
    asked_.pop_front();
    const bool event = item.asker == kEvent;
    ++(event ? report_.events : report_.models[static_cast<std::size_t>(item.asker)].questions);
    if (answer.status == 200) return event ? Status{} : take_prediction(item, answer.body);
    ++report_.refused;
    if (report_.first_refusal.empty()) report_.first_refusal = std::string(answer.body);
    return {};
  }

  Status take_prediction(const Item& item, std::string_view body) {
    COEVAL_ASSIGN(const data::Json json, data::parse_json(body));
    const data::Json* id = json.find("prediction_id");
    if (id == nullptr || id->string() == nullptr || !number_in(json, "score"))
      return fail(Code::unavailable,
                  "the server's answer has no score: " + std::string(body.substr(0, 200)));
    AnsweredModel& model = report_.models[static_cast<std::size_t>(item.asker)];
    const data::Column& label = labels_[static_cast<std::size_t>(item.asker)];
    model.last_prediction_id = *id->string();
    const std::int64_t row = newest_version(history_, item.row);
    if (row < 0 || label.is_null(row)) return {};
    if (model.kind == define::ModelKind::multiclass)
      return take_classes(*models_[static_cast<std::size_t>(item.asker)], json, label.string(row),
                          model);
    model.scores.push_back(*number_in(json, "score"));
    if (model.kind == define::ModelKind::regression)
      model.numbers.push_back(label.real(row));
    else if (model.kind == define::ModelKind::ranking)
      model.numbers.push_back(static_cast<double>(label.integer(row)));
    else
      model.labels.push_back(label.bit(row) ? 1 : 0);
    return {};
  }

  static std::optional<float> number_in(const data::Json& json, const std::string& name) {
    const data::Json* member = json.find(name);
    if (member != nullptr && member->real() != nullptr) return static_cast<float>(*member->real());
    if (member != nullptr && member->integer() != nullptr)
      return static_cast<float>(*member->integer());
    return std::nullopt;
  }

  // A label that is none of the classes judges no answer.
  static Status take_classes(const define::Model& defined, const data::Json& json,
                             std::string_view label, AnsweredModel& model) {
    const auto place = std::ranges::find(defined.classes, label);
    if (place == defined.classes.end()) return {};
    const data::Json* scores = json.find("scores");
    for (const std::string& name : defined.classes) {
      const auto score = scores == nullptr ? std::nullopt : number_in(*scores, name);
      if (!score)
        return fail(Code::unavailable, "the server's answer has no score of class '" + name + "'");
      model.scores.push_back(*score);
    }
    model.labels.push_back(static_cast<std::uint8_t>(place - defined.classes.begin()));
    return {};
  }

  const define::Source& source_;
  const std::vector<const define::Model*>& models_;
  const SourceHistory& history_;
  const TrafficOptions& options_;
  std::string events_target_;
  std::vector<int> all_columns_;
  std::vector<std::vector<int>> question_columns_;  // by model
  std::vector<data::Column> labels_;                // by model
  std::deque<Item> asked_;
  TrafficReport report_;
};

}  // namespace

Result<TrafficReport> play(const define::Project& project,
                           const std::vector<const define::Model*>& models,
                           const SourceHistory& history, const TrafficOptions& options) {
  return Player(project, models, history, options).run();
}

}  // namespace coeval::replay
