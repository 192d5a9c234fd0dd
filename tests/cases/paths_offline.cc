// Paths without a server: replay's pass over a whole past, and the kernel event by event.
#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "data/hash.h"
#include "kernel/kernel.h"
#include "models/encoder.h"
#include "models/forest.h"
#include "parts_by_view.h"
#include "paths.h"
#include "replay/dataset.h"
#include "replay/order.h"
#include "serving/model_plan.h"
#include "serving/scored_questions.h"
#include "serving/small_forest_for_tests.h"

namespace coeval::cases {

namespace {

replay::Past past_of(const World& world) {
  replay::Past past;
  past.sources.resize(world.sources.size());
  for (std::size_t i = 0; i < world.sources.size(); ++i) {
    replay::SourceHistory& history = past.sources[i];
    history.source = static_cast<int>(i);
    history.rows = world.sources[i];
    history.known_us = world.known_us[i];
    history.order = replay::stable_order(history.known_us);
    if (history.rows.columns.empty()) {
      history.rows.schema = world.project->sources[i].schema;
      for (const data::Field& field : history.rows.schema.fields)
        history.rows.columns.push_back(data::ColumnBuilder(field.type).finish());
    }
  }
  return past;
}

data::Batch without_first(const data::Batch& inputs) {
  data::Batch features = inputs;
  features.columns.erase(features.columns.begin(), features.columns.begin() + kFirstFeature);
  features.schema.fields.erase(features.schema.fields.begin(),
                               features.schema.fields.begin() + kFirstFeature);
  return features;
}

Result<bool> backfill(const World& world, const TakeAnswer& take, int threads, std::int64_t chunk) {
  replay::AnswerOptions options;
  options.threads = threads;
  options.chunk_rows = chunk;
  const replay::Questions questions{world.questions, world.at_us};
  COEVAL_TRY(replay::answer(world.project, past_of(world), questions, world.model->row,
                            world.model->inputs, options, [&](replay::Answers answers) -> Status {
                              const data::Batch features = without_first(answers.inputs);
                              for (std::size_t i = 0; i < answers.rows.size(); ++i)
                                take({answers.rows[i], features, static_cast<std::int64_t>(i),
                                      !answers.stale.empty() && answers.stale[i] >= 0});
                              return {};
                            }));
  return true;
}

// A kernel that takes one event and answers one question at a time.
class OneByOne {
 public:
  static Result<OneByOne> create(const World& world) {
    OneByOne made(world);
    COEVAL_ASSIGN(made.kernel_, kernel::Kernel::create(world.project, world.views));
    COEVAL_ASSIGN(serving::LoadedModel model, case_model(world));
    made.plan_ = serving::plan_model(kModel, std::move(model), *world.project, *made.kernel_);
    if (made.plan_.unusable) return std::unexpected(*made.plan_.unusable);
    return made;
  }

  Status apply(const Event& event, std::int64_t known_us) {
    const std::int64_t rows[] = {event.row};
    const std::int64_t known[] = {known_us};
    const data::Batch batch =
        data::take(world_->sources[static_cast<std::size_t>(event.source)], rows);
    COEVAL_TRY(kernel_->learn(event.source, batch, known));
    COEVAL_ASSIGN(const kernel::EventBlock block,
                  kernel_->prepare_events(event.source, batch, known));
    kernel_->apply(block, 0);
    return {};
  }
  Status apply(const Event& event) { return apply(event, event.known_us); }

  Status ask(std::int64_t question, const TakeAnswer& take) {
    const std::int64_t rows[] = {question};
    const serving::QuestionBatch batch{requested(*world_, rows),
                                       {world_->at_us[static_cast<std::size_t>(question)]}};
    COEVAL_ASSIGN(const serving::ScoredQuestions scored,
                  serving::score_questions(plan_, *kernel_, batch, counts_));
    take({question, without_first(scored.features), 0,
          !scored.stale.empty() && scored.stale[0].has_value()});
    return {};
  }

  bool reaches(std::int64_t at_us) const {
    return std::ranges::all_of(world_->views,
                               [&](int view) { return kernel_->reaches(view, at_us); });
  }
  const kernel::Kernel& kernel() const { return *kernel_; }

 private:
  explicit OneByOne(const World& world) : world_(&world) {}
  const World* world_;
  std::unique_ptr<kernel::Kernel> kernel_;
  serving::ModelPlan plan_;
  kernel::EvaluationCounts counts_;
};

// Calls `apply` for each event that is known before a question's time, then `ask`.
template <class Apply, class Ask>
Status in_turn(const World& world, const std::vector<Event>& events, Apply apply, Ask ask) {
  std::size_t next = 0;
  for (const std::int64_t question : world.question_order) {
    const std::int64_t at_us = world.at_us[static_cast<std::size_t>(question)];
    for (; next < events.size() && events[next].known_us < at_us; ++next)
      COEVAL_TRY(apply(events[next]));
    COEVAL_TRY(ask(question));
  }
  for (; next < events.size(); ++next) COEVAL_TRY(apply(events[next]));
  return {};
}

Result<bool> stream_events(const World& world, const std::vector<Event>& events,
                           const TakeAnswer& take) {
  COEVAL_ASSIGN(OneByOne stream, OneByOne::create(world));
  COEVAL_TRY(in_turn(
      world, events, [&](const Event& event) { return stream.apply(event); },
      [&](std::int64_t question) { return stream.ask(question, take); }));
  return true;
}

Status check_dropped(const World& world, const kernel::Kernel& kernel) {
  for (const Dropped& dropped : world.text->dropped) {
    const int view = world.project->view_index(dropped.view);
    const std::int64_t found = view < 0 ? -1 : kernel.dropped_late_count(view);
    if (found != dropped.count)
      return fail(Code::bad_row, world.text->place(dropped.line) + ": view '" + dropped.view +
                                     "' left " + std::to_string(found) + " events outside");
  }
  return {};
}

Result<bool> stream(const World& world, const TakeAnswer& take) {
  COEVAL_ASSIGN(OneByOne stream, OneByOne::create(world));
  COEVAL_TRY(in_turn(
      world, world.events, [&](const Event& event) { return stream.apply(event); },
      [&](std::int64_t question) { return stream.ask(question, take); }));
  COEVAL_TRY(check_dropped(world, stream.kernel()));
  return true;
}

// Every question again after each later event, for as long as the state reaches back to it: an
// answer about a time never changes.
Result<bool> hindsight(const World& world, const TakeAnswer& take) {
  COEVAL_ASSIGN(OneByOne stream, OneByOne::create(world));
  std::vector<std::int64_t> asked;
  const auto again = [&]() -> Status {
    for (const std::int64_t question : asked)
      if (stream.reaches(world.at_us[static_cast<std::size_t>(question)]))
        COEVAL_TRY(stream.ask(question, take));
    return {};
  };
  const auto apply = [&](const Event& event) -> Status {
    COEVAL_TRY(stream.apply(event));
    return again();
  };
  const auto ask = [&](std::int64_t question) -> Status {
    asked.push_back(question);
    return stream.ask(question, take);
  };
  COEVAL_TRY(in_turn(world, world.events, apply, ask));
  return true;
}

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Whether the case's own definition computes with known times.
bool reads_known(const World& world) {
  for (const std::string& line : world.text->definition)
    for (std::size_t at = line.find("known"); at != std::string::npos;
         at = line.find("known", at + 1))
      if ((at == 0 || !is_word_character(line[at - 1])) &&
          (at + 5 == line.size() || !is_word_character(line[at + 5])))
        return true;
  return false;
}

// Deals the known times of a run of events out anew, so that they arrive in another order. Events
// of one source with equal event times keep theirs: it settles ties. (semantics: T5)
void shuffle_run(std::span<Event> run, std::mt19937_64& random) {
  std::vector<std::int64_t> known;
  for (const Event& event : run) known.push_back(event.known_us);
  std::vector<Event> order(run.begin(), run.end());
  std::ranges::shuffle(order, random);
  std::map<std::pair<int, std::int64_t>, std::vector<std::int64_t>> ties;
  for (const Event& event : run) ties[{event.source, event.time_us}].push_back(event.row);
  std::map<std::pair<int, std::int64_t>, std::size_t> next;
  std::map<std::pair<int, std::int64_t>, Event> originals;
  for (const Event& event : run) originals[{event.source, event.row}] = event;
  for (std::size_t i = 0; i < run.size(); ++i) {
    const std::pair key{order[i].source, order[i].time_us};
    run[i] = originals[{key.first, ties[key][next[key]++]}];
    run[i].known_us = known[i];
  }
}

// Whether events read lookups of the source.
bool is_looked_up(const World& world, int source) {
  return std::ranges::any_of(world.project->sources, [&](const define::Source& reader) {
    return std::ranges::any_of(reader.lookups, [&](const define::EventLookup& lookup) {
      return world.project->views[static_cast<std::size_t>(lookup.view)].source == source;
    });
  });
}

// The end of a run of events whose known times may be dealt out anew. What an event looks up
// depends on which rows were known before it, so no run reaches over such a row.
std::size_t end_of_run(const World& world, const std::vector<Event>& events, std::size_t begin,
                       std::int64_t until) {
  const auto is_fixed = [&](std::size_t i) {
    const std::int64_t known = events[i].known_us;
    return std::ranges::any_of(events, [&](const Event& other) {
      return other.known_us == known && is_looked_up(world, other.source);
    });
  };
  std::size_t end = begin;
  while (end < events.size() && events[end].known_us < until && (end == begin || !is_fixed(end))) {
    if (is_fixed(end++)) break;
  }
  return end;
}

// Events known between the same two questions arrive in other orders.
Result<bool> shuffled(const World& world, const TakeAnswer& take) {
  if (reads_known(world)) return false;
  bool any = false;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<Event> events = world.events;
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= world.question_order.size(); ++i) {
      const std::int64_t until =
          i < world.question_order.size()
              ? world.at_us[static_cast<std::size_t>(world.question_order[i])]
              : INT64_MAX;
      while (begin < events.size() && events[begin].known_us < until) {
        const std::size_t end = end_of_run(world, events, begin, until);
        any = any || end - begin > 1;
        shuffle_run(std::span(events).subspan(begin, end - begin), random);
        begin = end;
      }
    }
    if (!any) return false;
    COEVAL_TRY(stream_events(world, events, take));
  }
  return true;
}

// The keys that all views share, or nothing.
const std::vector<std::string>* shared_keys(const World& world) {
  const std::vector<std::string>* keys = nullptr;
  for (const define::View& view : world.project->views) {
    if (view.keys.empty() || view.source < 0) return nullptr;
    if (keys != nullptr && *keys != view.keys) return nullptr;
    keys = &view.keys;
  }
  return keys;
}

// Which part an entity belongs to, by its key as it is written in the case.
std::size_t part_of(const std::vector<std::string>& keys, const std::vector<Heading>& columns,
                    const Row& row, std::size_t parts) {
  std::string key;
  for (const std::string& name : keys)
    for (std::size_t i = 0; i < columns.size(); ++i)
      if (columns[i].name == name) key += row.cells[i].text + '\n';
  return static_cast<std::size_t>(data::xxh3_64(key) % parts);
}

Result<bool> partitioned(const World& world, const TakeAnswer& take, std::size_t parts) {
  const std::vector<std::string>* keys = shared_keys(world);
  if (keys == nullptr || !world.model->row.keys.empty())
    return partitioned_by_view(world, take, parts);
  std::vector<OneByOne> kernels;
  for (std::size_t i = 0; i < parts; ++i) {
    COEVAL_ASSIGN(OneByOne part, OneByOne::create(world));
    kernels.push_back(std::move(part));
  }
  const AskTable& ask = world.text->ask;
  COEVAL_TRY(in_turn(
      world, world.events,
      [&](const Event& event) {
        return kernels[part_of(*keys, event.table->columns, *event.text, parts)].apply(event);
      },
      [&](std::int64_t question) {
        const Row& row = ask.rows[static_cast<std::size_t>(question)];
        return kernels[part_of(*keys, ask.columns, row, parts)].ask(question, take);
      }));
  return true;
}

}  // namespace

Result<serving::LoadedModel> case_model(const World& world) {
  const define::Model& model = *world.model;
  data::Batch training;
  training.rows = 1;
  for (const define::Input& input : model.inputs) {
    data::ColumnBuilder builder(input.type);
    input.type == data::Type::string ? builder.append_string("a") : builder.append_null();
    training.schema.fields.push_back({input.name, input.type, true});
    training.columns.push_back(builder.finish());
  }
  COEVAL_ASSIGN(models::Encoder encoder, models::Encoder::fit(model.inputs, training));
  COEVAL_ASSIGN(models::Forest forest,
                models::Forest::from_xgboost_ubj(
                    serving::testing::forest_ubj(model.inputs.size(), {{0, 15, -0.5f, 0.5f}})));
  models::ModelCard card;
  card.name = model.name;
  card.ir_hash = model.ir_hash;
  card.ir = model.ir;
  card.bits_id = std::string(64, '1');
  return serving::LoadedModel{
      std::make_shared<models::ServedModel>(models::ServedModel{
          std::move(card), std::move(encoder), std::move(forest), data::Json(), {}}),
      1};
}

std::vector<Path> offline_paths() {
  std::vector<Path> paths;
  for (const int threads : {1, 2})
    for (const std::int64_t chunk : {std::int64_t{1}, std::int64_t{1} << 16})
      paths.push_back(
          {"backfill, " + std::to_string(threads) + " threads, chunks of " + std::to_string(chunk),
           [=](const World& world, const TakeAnswer& take) {
             return backfill(world, take, threads, chunk);
           }});
  paths.push_back({"stream", stream});
  paths.push_back({"hindsight", hindsight});
  paths.push_back({"shuffled arrival", shuffled});
  for (const std::size_t parts : {1, 2, 7})
    paths.push_back({std::to_string(parts) + (parts == 1 ? " partition" : " partitions"),
                     [=](const World& world, const TakeAnswer& take) {
                       return partitioned(world, take, parts);
                     }});
  return paths;
}

std::vector<Path> all_paths() {
  std::vector<Path> paths = offline_paths();
  for (Path& path : server_paths()) paths.push_back(std::move(path));
  return paths;
}

}  // namespace coeval::cases
