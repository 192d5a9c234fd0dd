// Paths through the server's engine: JSON in at its door, answers out of its log.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "data/json.h"
#include "data/row_codec.h"
#include "define/row_schemas.h"
#include "kernel/kernel.h"
#include "paths.h"
#include "quality/json_extraction.h"
#include "replay/fold.h"
#include "serving/engine.h"
#include "stores/event_log.h"
#include "stores/lent_state_store_for_tests.h"
#include "stores/prediction_record.h"
#include "stores/record_names.h"
#include "stores/temporary_folder.h"

namespace coeval::cases {

namespace {

enum class Restarts : std::uint8_t {
  none,
  by_log,
  by_snapshot,
  from_store  // and no entity stays in memory between two requests
};

// After so many events the server goes down and comes up again.
constexpr std::size_t kEventsBetweenRestarts = 3;

constexpr const char* kBasis = "case";

// A row without what the server takes out of JSON itself; texts of JSON as they are, or as the
// objects that they spell.
std::string json_of(const define::Source& source, const data::Batch& batch, std::int64_t row,
                    bool objects) {
  data::Json json{data::Json::Object{}};
  const quality::JsonExtraction extraction(source);
  for (std::size_t i = 0; i < batch.columns.size(); ++i) {
    const std::string& name = batch.schema.fields[i].name;
    const int column = source.schema.index_of(name);
    if (column >= 0 && source.columns[static_cast<std::size_t>(column)].json) continue;
    if (objects && extraction.holder_of(name) >= 0 && !batch.columns[i].is_null(row)) {
      auto held = data::parse_json(batch.columns[i].string(row), {}, {.numbers = true});
      if (held && (held->object() != nullptr || held->array() != nullptr)) {
        json.set(name, std::move(*held));
        continue;
      }
    }
    json.set(batch.schema.fields[i].name,
             data::to_json(batch.columns[i].value(row), batch.schema.fields[i].type));
  }
  return json.dump();
}

Status expect_200(const serving::Answer& answer) {
  if (answer.status == 200) return {};
  return fail(Code::bad_row, "the server answers " + std::to_string(answer.status) + ": " +
                                 answer.body.substr(0, 500));
}

class Server {
 public:
  Server(const World& world, bool is_paged)
      : world_(world),
        folder_(Folder::Where::in_memory),
        store_(is_paged ? stores::make_memory_state() : nullptr) {}

  /// Comes up from what the folder holds.
  Status start() {
    COEVAL_ASSIGN(auto log, stores::open_log(folder_ / "log"));
    COEVAL_ASSIGN(auto kernel, kernel::Kernel::create(world_.project, world_.views));
    auto names = std::make_unique<kernel::EventIndexes>(*world_.project);
    Position from{0};
    std::string warning;
    std::optional<stores::SnapshotChain> snapshot;
    std::shared_ptr<serving::PagedState> paged;
    if (store_) {
      paged = std::make_shared<serving::PagedState>(std::make_shared<stores::StoredState>(
          std::make_unique<stores::LentStore>(*store_), kBasis));
      COEVAL_ASSIGN(const auto restored, paged->restore(log->next_position(), *kernel, *names));
      from = restored.value_or(from);
    } else {
      COEVAL_ASSIGN(snapshot,
                    serving::restore_snapshot(folder_ / "snapshots", kBasis, log->next_position(),
                                              *kernel, *names, &warning));
      if (snapshot) from = snapshot->position();
    }
    if (!warning.empty()) return fail(Code::snapshot_corrupt, warning);
    COEVAL_TRY(replay::fold_log(*kernel, *names, *log, from));
    COEVAL_ASSIGN(serving::LoadedModel model, case_model(world_));
    serving::Engine::Options options;
    options.data_clock = true;
    log_ = log.get();
    engine_ = std::make_unique<serving::Engine>(world_.project, std::move(kernel), std::move(log),
                                                std::make_unique<ManualClock>(0), folder_.path(),
                                                options, std::move(names));
    if (paged)
      engine_->set_paged(std::move(paged), 0);
    else
      engine_->set_basis(kBasis, std::move(snapshot));
    COEVAL_TRY(engine_->prepare());
    engine_->set_models({{kModel, std::move(model)}});
    return {};
  }

  Status stop(bool snapshot) {
    COEVAL_TRY(engine_->sync());
    if (snapshot) COEVAL_TRY(engine_->snapshot_if_due(true));
    engine_.reset();
    return {};
  }

  /// What a server does after each round of requests.
  Status round() { return store_ ? engine_->snapshot_if_due(false) : Status(); }

  Status send(const Event& event) {
    const auto source = static_cast<std::size_t>(event.source);
    const data::Batch& rows = world_.sources[source];
    if (!world_.finite) return write_to_log(event, rows);
    return expect_200(engine_->events(
        world_.project->sources[source].name,
        json_of(world_.project->sources[source], rows, event.row, event.row % 2 == 1),
        std::nullopt));
  }

  Status ask(std::int64_t question, const TakeAnswer& take) {
    const std::int64_t rows[] = {question};
    const std::int64_t at_us = world_.at_us[static_cast<std::size_t>(question)];
    data::Batch request = requested(world_, rows);
    request.schema.fields.push_back({"at", data::Type::timestamp, false});
    request.columns.push_back(data::take(world_.questions.columns[0], rows));
    const auto& source = world_.project->sources[static_cast<std::size_t>(world_.model->source)];
    const quality::JsonExtraction extraction(source);
    for (const std::string& holder : extraction.holders()) {
      if (request.find(holder) != nullptr || !is_asked_for(source, holder)) continue;
      request.schema.fields.push_back({holder, data::Type::string, true});
      request.columns.push_back(data::take(*world_.questions.find(holder), rows));
    }
    const serving::Answer answer = engine_->predict(
        kModel, json_of(source, request, 0, question % 2 == 1), true, std::nullopt);
    if (answer.status == info(Code::stale_feature).http_status &&
        answer.body.find(code_name(Code::stale_feature)) != std::string::npos) {
      take({question, {}, 0, true});
      return {};
    }
    COEVAL_TRY(expect_200(answer));
    return read_answer(question, at_us, take);
  }

 private:
  using Folder = stores::TemporaryFolder;

  // Whether a column of the model's questions is taken out of the holder.
  bool is_asked_for(const define::Source& source, const std::string& holder) const {
    return std::ranges::any_of(world_.model->row.question_columns, [&](int column) {
      const auto& json = source.columns[static_cast<std::size_t>(column)].json;
      return json && json->column == holder;
    });
  }

  // What the door would refuse, NaN and infinities, gets into the log of a server that is down.
  Status write_to_log(const Event& event, const data::Batch& rows) {
    COEVAL_TRY(stop(false));
    const define::Source& source = world_.project->sources[static_cast<std::size_t>(event.source)];
    {
      COEVAL_ASSIGN(const auto log, stores::open_log(folder_ / "log"));
      const std::string payload = data::encode_row(rows, event.row);
      COEVAL_TRY(log->append({stores::RecordKind::event, KnownTime{event.known_us},
                              stores::source_tag(source.name), stores::schema_tag(source.schema),
                              payload}));
      COEVAL_TRY(log->sync());
    }
    return start();
  }

  // The features as they were logged with the prediction: all their bits.
  Status read_answer(std::int64_t question, std::int64_t at_us, const TakeAnswer& take) {
    COEVAL_TRY(log_->flush());
    const Position last{log_->next_position().value - 1};
    Result<stores::PredictionRecord> record = fail(Code::internal, "no prediction was logged");
    COEVAL_TRY(log_->read(last, [&](const stores::Record& found) {
      record = stores::decode_prediction(found.payload);
      return false;
    }));
    if (!record) return std::unexpected(record.error());
    if (record->at_us != at_us) return fail(Code::internal, "the prediction has another time");
    data::Batch features;
    features.rows = 1;
    features.schema = define::input_schema(world_.model->inputs);
    std::vector<data::ColumnBuilder> builders;
    for (const data::Field& field : features.schema.fields) builders.emplace_back(field.type);
    COEVAL_TRY(data::decode_row(record->features, features.schema, builders));
    features.schema.fields.erase(features.schema.fields.begin(),
                                 features.schema.fields.begin() + kFirstFeature);
    for (std::size_t i = kFirstFeature; i < builders.size(); ++i)
      features.columns.push_back(builders[i].finish());
    take({question, features, 0});
    return {};
  }

  const World& world_;
  Folder folder_;
  std::shared_ptr<stores::StateStore> store_;  // null where all of the state is in memory
  stores::EventLog* log_ = nullptr;
  std::unique_ptr<serving::Engine> engine_;
};

Result<bool> serve(const World& world, const TakeAnswer& take, Restarts restarts) {
  Server server(world, restarts == Restarts::from_store);
  COEVAL_TRY(server.start());
  std::size_t next = 0;
  const auto send = [&]() -> Status {
    COEVAL_TRY(server.send(world.events[next]));
    COEVAL_TRY(server.round());
    if (++next % kEventsBetweenRestarts != 0 || restarts == Restarts::none) return {};
    COEVAL_TRY(server.stop(restarts == Restarts::by_snapshot || restarts == Restarts::from_store));
    return server.start();
  };
  for (const std::int64_t question : world.question_order) {
    const std::int64_t at_us = world.at_us[static_cast<std::size_t>(question)];
    while (next < world.events.size() && world.events[next].known_us < at_us) COEVAL_TRY(send());
    COEVAL_TRY(server.ask(question, take));
    COEVAL_TRY(server.round());
  }
  COEVAL_TRY(server.stop(false));
  return true;
}

}  // namespace

std::vector<Path> server_paths() {
  const auto path = [](std::string name, Restarts restarts) {
    return Path{std::move(name), [=](const World& world, const TakeAnswer& take) {
                  return serve(world, take, restarts);
                }};
  };
  return {path("server", Restarts::none), path("restarts from the log", Restarts::by_log),
          path("restarts from snapshots", Restarts::by_snapshot),
          path("entities out of memory", Restarts::from_store)};
}

}  // namespace coeval::cases
