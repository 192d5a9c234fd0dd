// Paths without a server: replay's pass over a whole past, and the kernel event by event.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>

#include "base/stable_order.h"
#include "data/cell_text.h"
#include "data/hash.h"
#include "kernel/event_index.h"
#include "kernel/kernel.h"
#include "models/encoder.h"
#include "models/forest.h"
#include "parts_by_view.h"
#include "paths.h"
#include "replay/dataset.h"
#include "replay/fold.h"
#include "replay/versions.h"
#include "serving/model_plan.h"
#include "serving/scored_questions.h"
#include "serving/small_model_for_tests.h"

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
    history.order = stable_order(history.known_us);
    if (history.rows.columns.empty()) {
      history.rows.schema = world.project->sources[i].schema;
      for (const data::Field& field : history.rows.schema.fields)
        history.rows.columns.push_back(data::ColumnBuilder(field.type).finish());
    }
    replay::settle_names(*world.project, history, nullptr);
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

data::Batch row_of(const World& world, const Event& event) {
  const std::int64_t rows[] = {event.row};
  return data::take(world.sources[static_cast<std::size_t>(event.source)], rows);
}

// A kernel that takes one event and answers one question at a time.
class OneByOne {
 public:
  static Result<OneByOne> create(const World& world) {
    OneByOne made(world);
    COEVAL_ASSIGN(made.kernel_, kernel::Kernel::create(world.project, world.views));
    made.names_ = std::make_unique<kernel::EventIndexes>(*world.project);
    COEVAL_ASSIGN(serving::LoadedModel model, case_model(world));
    made.plan_ = serving::plan_model(kModel, std::move(model), *world.project, *made.kernel_);
    if (made.plan_.unusable) return std::unexpected(*made.plan_.unusable);
    return made;
  }

  Status apply(const Event& event, std::int64_t known_us) {
    const std::int64_t known[] = {known_us};
    const data::Batch batch = row_of(*world_, event);
    COEVAL_TRY(kernel_->learn(event.source, batch, known));
    COEVAL_ASSIGN(const kernel::EventBlock block,
                  replay::prepare_next(*kernel_, *names_, event.source, batch, known));
    kernel_->apply(block, 0);
    return {};
  }
  Status apply(const Event& event) { return apply(event, event.known_us); }
  // One that another's names have been asked about.
  Status apply(const Event& event, const kernel::Amendments* amendments) {
    const std::int64_t known[] = {event.known_us};
    COEVAL_ASSIGN(const kernel::EventBlock block,
                  kernel_->prepare_events(event.source, row_of(*world_, event), known,
                                          kernel::run_in_turn, amendments));
    kernel_->apply(block, 0);
    return {};
  }

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
  std::unique_ptr<kernel::EventIndexes> names_;
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

// The text of a row's column; nothing where it is null.
std::optional<std::string> text_of(const data::Batch& rows, std::int64_t row, int column) {
  const data::Column& values = rows.columns[static_cast<std::size_t>(column)];
  if (values.is_null(row)) return std::nullopt;
  return data::to_text(values.value(row), values.type());
}

// What must not be reordered: events of one source with an equal event time, since their order
// settles ties (semantics: T5); rows that have a name in common which several rows have, since the
// newest of them is meant (semantics: T7).
class Bonds {
 public:
  explicit Bonds(const World& world) : world_(world) {
    for (const Event& event : world.events) {
      const auto name = name_of(event, source_of(event).identity.id);
      if (!name) continue;
      const bool is_new_version = name == name_of(event, source_of(event).identity.replaces);
      uses_[*name] += is_new_version ? 2 : 1;
    }
  }
  std::vector<std::string> of(const Event& event) {
    std::vector<std::string> bonds = {std::to_string(event.source) + " at " +
                                      std::to_string(event.time_us)};
    for (const int column : {source_of(event).identity.id, source_of(event).identity.replaces})
      if (const auto name = name_of(event, column); name && uses_[*name] > 1)
        bonds.push_back(*name);
    return bonds;
  }

 private:
  const define::Source& source_of(const Event& event) const {
    return world_.project->sources[static_cast<std::size_t>(event.source)];
  }
  std::optional<std::string> name_of(const Event& event, int column) const {
    if (column < 0) return std::nullopt;
    const auto text =
        text_of(world_.sources[static_cast<std::size_t>(event.source)], event.row, column);
    if (!text) return std::nullopt;
    return std::to_string(event.source) + " named " + *text;
  }

  const World& world_;
  std::map<std::string, int> uses_;
};

// Numbers events by who is bound to whom.
std::vector<std::size_t> groups_of(std::span<const Event> run, Bonds& bonds) {
  std::vector<std::size_t> group(run.size());
  std::map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < run.size(); ++i) {
    group[i] = i;
    for (const std::string& bond : bonds.of(run[i])) {
      const std::size_t other = group[first.try_emplace(bond, i).first->second];
      const std::size_t mine = group[i];
      for (std::size_t j = 0; j <= i; ++j)
        if (group[j] == mine) group[j] = other;
    }
  }
  return group;
}

// Deals the known times of a run of events out anew, so that they arrive in another order. Those
// that are bound to each other keep theirs.
void shuffle_run(std::span<Event> run, Bonds& bonds, std::mt19937_64& random) {
  const std::vector<Event> before(run.begin(), run.end());
  const std::vector<std::size_t> group = groups_of(before, bonds);
  std::vector<std::size_t> order = group;
  std::ranges::shuffle(order, random);
  std::map<std::size_t, std::vector<std::size_t>> members;
  for (std::size_t i = before.size(); i-- > 0;) members[group[i]].push_back(i);
  for (std::size_t i = 0; i < run.size(); ++i) {
    run[i] = before[members[order[i]].back()];
    members[order[i]].pop_back();
    run[i].known_us = before[i].known_us;
  }
}

// Whether a name may be used again within the case: then what it means hangs on known times.
bool may_reuse_names(const World& world) {
  for (const define::Source& source : world.project->sources)
    if (source.has_names() && !world.events.empty() &&
        world.events.back().known_us - world.events.front().known_us >= source.identity.dedup_us)
      return true;
  return false;
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
  if (reads_known(world) || may_reuse_names(world)) return false;
  Bonds bonds(world);
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
        shuffle_run(std::span(events).subspan(begin, end - begin), bonds, random);
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
  // What is taken out of JSON is not written in the case.
  for (const define::Source& source : world.project->sources)
    for (const define::SourceColumn& column : source.columns)
      if (column.json && keys != nullptr && std::ranges::count(*keys, column.name) > 0)
        return nullptr;
  return keys;
}

// Which part an entity belongs to, by the texts of its key.
std::size_t part_of(const std::vector<std::string>& keys, const data::Batch& rows, std::int64_t row,
                    std::size_t parts) {
  std::string key;
  for (const std::string& name : keys)
    key += text_of(rows, row, rows.schema.index_of(name)).value_or("null") + '\n';
  return static_cast<std::size_t>(data::xxh3_64(key) % parts);
}

// An event goes to the part of its key; what it takes back may be in another.
Status apply_in_parts(const World& world, const std::vector<std::string>& keys,
                      kernel::EventIndexes& names, std::vector<OneByOne>& kernels,
                      const Event& event) {
  const data::Batch row = row_of(world, event);
  OneByOne& mine = kernels[part_of(keys, row, 0, kernels.size())];
  kernel::EventIndex* index = names.of(event.source);
  if (index == nullptr) return mine.apply(event, nullptr);
  const std::int64_t known[] = {event.known_us};
  kernel::Amendments amendments = index->take(row, known);
  if (amendments.takes_back[0] < 0) return mine.apply(event, &amendments);
  kernel::Amendments only_taking_back = amendments;
  only_taking_back.roles[0] = kernel::Role::deletion;
  COEVAL_TRY(kernels[part_of(keys, amendments.taken_back, 0, kernels.size())].apply(
      event, &only_taking_back));
  amendments.takes_back[0] = -1;
  return mine.apply(event, &amendments);
}

Result<bool> partitioned(const World& world, const TakeAnswer& take, std::size_t parts) {
  const std::vector<std::string>* keys = shared_keys(world);
  const bool named = std::ranges::any_of(world.project->sources, &define::Source::has_names);
  if (named && keys == nullptr) return false;
  if (keys == nullptr || !world.model->row.keys.empty())
    return partitioned_by_view(world, take, parts);
  std::vector<OneByOne> kernels;
  for (std::size_t i = 0; i < parts; ++i) {
    COEVAL_ASSIGN(OneByOne part, OneByOne::create(world));
    kernels.push_back(std::move(part));
  }
  kernel::EventIndexes names(*world.project);
  COEVAL_TRY(in_turn(
      world, world.events,
      [&](const Event& event) { return apply_in_parts(world, *keys, names, kernels, event); },
      [&](std::int64_t question) {
        return kernels[part_of(*keys, world.questions, question, parts)].ask(question, take);
      }));
  return true;
}

}  // namespace

Result<serving::LoadedModel> case_model(const World& world) {
  return serving::testing::stump_model(*world.model, {{0, 15, -0.5f, 0.5f}}, {"a"});
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
