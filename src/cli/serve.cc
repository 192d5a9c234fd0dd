#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <numeric>
#include <thread>

#include "cli/commands.h"
#include "cli/running_server.h"
#include "cli/server_upkeep.h"
#include "cli/state_origin.h"
#include "data/hash.h"
#include "ingest/past_rows.h"
#include "kernel/event_index.h"
#include "kernel/kernel.h"
#include "replay/dataset.h"
#include "replay/fold.h"
#include "replay/log_schemas.h"
#include "serving/engine.h"
#include "serving/http_server.h"
#include "serving/listener.h"
#include "serving/model_plan.h"
#include "serving/paged_state.h"
#include "stores/files.h"
#include "training/registered_model.h"

namespace coeval::cli {

namespace {

// So long at most a request waits for a slice of a snapshot.
constexpr double kSnapshotSliceS = 25e-6;

// SIGTERM, SIGINT and SIGHUP are taken by one thread that waits for them; every other thread blocks
// them. Made before anything that may start a thread (the Parquet module does), for threads inherit
// the mask.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set_, number);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }
  /// SIGUSR1 is our own way of waking the thread up to end.
  int wait() {
    int number = 0;
    sigwait(&set_, &number);
    return number;
  }

 private:
  sigset_t set_{};
};

std::vector<int> all_views(const define::Project& project) {
  std::vector<int> views(project.views.size());
  std::iota(views.begin(), views.end(), 0);
  return views;
}

// Brings a server's state up: cut, files, snapshot, log.
class Startup {
 public:
  explicit Startup(Context& context) : context_(context) {}

  std::unique_ptr<stores::EventLog> log;
  std::unique_ptr<kernel::Kernel> kernel;
  std::unique_ptr<kernel::EventIndexes> names;
  serving::RequestKeys keys;  ///< of requests that the log holds
  std::string basis;
  std::optional<stores::SnapshotChain> snapshot;  ///< that the state was restored from
  std::shared_ptr<serving::PagedState> paged;     ///< where entities are, with state = "disk"
  bool folded_all = false;                        ///< all files, for want of a saved state
  std::int64_t cut_us = 0;

  Status run() {
    COEVAL_TRY(open_log());
    COEVAL_ASSIGN(files_, hash_source_files(*context_.project));
    COEVAL_TRY(settle_cut());
    const auto& project = *context_.project;
    COEVAL_ASSIGN(kernel, kernel::Kernel::create(context_.project, all_views(project)));
    names = std::make_unique<kernel::EventIndexes>(project);
    basis = stores::state_basis(state_definition(project, cut_us, files_), log_id_);
    return fold();
  }

 private:
  // Opening cuts a torn tail. It is what a crash leaves; bytes rotting there look the same, so it
  // is said.
  Status open_log() {
    std::uint64_t cut_bytes = 0, taken_back = 0;
    stores::LogOptions options;
    options.cut_bytes = &cut_bytes;
    options.visit_request = [this](const stores::Record& record) { keys.add(record); };
    options.taken_back = &taken_back;
    COEVAL_ASSIGN(log, stores::open_log(context_.log_folder(), options));
    if (cut_bytes > 0)
      context_.terminal.say("log: " + std::to_string(cut_bytes) +
                            " bytes after the last sound record were cut off");
    if (taken_back > 0)
      context_.terminal.say("log: a batch that was not finished is taken back, " +
                            std::to_string(taken_back) +
                            " records that nobody saw; ingest its file again");
    return {};
  }

  // A log goes on from one cut over the same files for ever; anything else would rewrite the past.
  // (T9)
  Status settle_cut() {
    COEVAL_ASSIGN(const auto recorded, replay::read_cut(*log));
    std::optional<std::int64_t> asked;
    if (!context_.in.as_of.empty()) {
      COEVAL_ASSIGN(asked, parse_time(context_.in.as_of));
    }
    if (!recorded) {
      cut_us = asked ? *asked : context_.clock.now_us();
      log_id_ = replay::new_log_id();
      fresh_ = true;
      return {};
    }
    cut_us = recorded->cut_us;
    log_id_ = recorded->log_id;
    if (asked && *asked != cut_us)
      return fail(
          Code::log_mismatch,
          "the log goes on from " + format_time(cut_us) + ", not from " + format_time(*asked),
          "leave --as-of out, or move " + context_.log_folder() + " away to start another log");
    if (recorded->files != files_)
      return fail(
          Code::log_mismatch, "a source's file changed since the log was started from it",
          "restore the file, or move " + context_.log_folder() + " away to start another log");
    return {};
  }

  // What the other kind of state left is not kept up by this server, and another log may come to
  // stand where its own was.
  Status remove_other_state() {
    const std::string folder =
        context_.state_folder + (context_.project->serving.on_disk ? "/snapshots" : "/state");
    if (!std::filesystem::exists(folder)) return {};
    context_.terminal.say("state: removing " + folder + ", which [serving] state no longer names");
    return stores::remove_folder(folder);
  }

  Status fold() {
    COEVAL_TRY(remove_other_state());
    COEVAL_ASSIGN(const auto restored,
                  context_.project->serving.on_disk ? restore_stored() : restore_snapshot());
    folded_all = !restored;
    if (restored)
      context_.terminal.say("state: snapshot at log position " + std::to_string(restored->value));
    else
      COEVAL_TRY(fold_all_files());
    const Position from = restored.value_or(Position{0});
    COEVAL_ASSIGN(const std::int64_t events,
                  replay::fold_log(*kernel, *names, *log, from, pieces()));
    context_.terminal.say("state: " + std::to_string(events) + " events from the log, positions " +
                          std::to_string(from.value) + " to " +
                          std::to_string(log->next_position().value));
    return begin_log();
  }

  Result<std::optional<Position>> restore_snapshot() {
    std::string warning;
    COEVAL_ASSIGN(snapshot, serving::restore_snapshot(context_.state_folder + "/snapshots", basis,
                                                      log->next_position(), *kernel, *names,
                                                      &warning, log.get()));
    if (!warning.empty()) context_.terminal.say("warning: " + warning);
    return snapshot ? std::optional(snapshot->position()) : std::nullopt;
  }

  // A store that the state cannot be brought up from is of no use any more: the log and the files
  // have all that it had.
  Result<std::optional<Position>> restore_stored() {
    const std::string folder = context_.state_folder + "/state";
    COEVAL_ASSIGN(auto stored, open_stored(folder));
    paged = std::make_shared<serving::PagedState>(std::move(stored));
    std::string why;
    auto restored = paged->restore(log->next_position(), *kernel, *names, log.get(), &why);
    if (restored && *restored) return restored;
    if (!restored && restored.error().code != Code::snapshot_corrupt) return restored;
    if (restored) {
      COEVAL_ASSIGN(const bool is_empty, paged->stored().is_empty());
      if (is_empty) return std::nullopt;
      context_.terminal.say("state: what " + folder + " holds is not gone on from: " + why +
                            "; it is made anew from files and log");
    } else {
      context_.terminal.say("warning: " + one_line(restored.error()) + "; it is made anew");
    }
    paged->replace({});
    COEVAL_TRY(stores::remove_folder(folder));
    COEVAL_ASSIGN(stored, open_stored(folder));
    paged->replace(std::move(stored));
    return std::nullopt;
  }

  Result<std::shared_ptr<stores::StoredState>> open_stored(const std::string& folder) {
    COEVAL_ASSIGN(auto store, open_state_store(context_.installation, folder));
    return std::make_shared<stores::StoredState>(std::move(store), basis);
  }

  replay::FoldInPieces pieces() {
    if (!paged) return {};
    const auto memory = static_cast<std::size_t>(context_.project->serving.memory_bytes);
    return {.after = [this, memory](Position position) -> Status {
      if (!serving::PagedState::is_full(memory, *kernel)) return {};
      COEVAL_ASSIGN(const stores::LogPoint at, stores::log_point(*log, position));
      return paged->make_room(memory, at, *kernel, *names);
    }};
  }

  // The cut is written when nothing can fail any more but the log itself: a server that could not
  // start must not settle what later builds may read.
  Status begin_log() {
    if (!fresh_) return {};
    const std::string payload = replay::encode(replay::CutRecord{cut_us, files_, log_id_});
    COEVAL_TRY(log->append({stores::RecordKind::cut, KnownTime{cut_us - 1}, 0, 0, payload}));
    return log->sync();
  }

  Status fold_all_files() {
    const auto sources = replay::sources_to_fold(*context_.project, kernel->views(), *names);
    const double started = monotonic_seconds();
    COEVAL_ASSIGN(const auto folded, fold_sources(sources));
    for (const auto& source : folded) {
      char line[64];
      std::snprintf(line, sizeof line, " in %.2f s", monotonic_seconds() - started);
      context_.terminal.say("state: " + std::to_string(source.rows) + " rows of " + source.path +
                            " known before " + format_time(cut_us) + line);
    }
    return {};
  }

  Result<std::vector<replay::FoldedSource>> fold_sources(const std::vector<int>& sources) {
    if (!paged)
      return replay::fold_files(*kernel, *names, sources, context_.formats, cut_us,
                                context_.threads());
    paged->stored().set_whole(false);
    auto folded =
        replay::fold_files_in_pieces(*kernel, *names, sources, context_.formats, cut_us, pieces());
    paged->stored().set_whole(true);
    return folded;
  }

  Context& context_;
  std::vector<std::pair<std::string, std::string>> files_;
  std::string log_id_;
  bool fresh_ = false;  // the log has no cut yet
};

// Checks that look back (`increasing`, `refers`) are told what is there.
Status tell_rows(Context& context, serving::Engine& engine) {
  const define::Project& project = *context.project;
  COEVAL_ASSIGN(const auto log, stores::open_log_for_reading(context.log_folder()));
  const ingest::Past past{project, context.formats, log.get()};
  for (int source = 0; source < std::ssize(project.sources); ++source) {
    if (!engine.remembers(source)) continue;
    std::int64_t count = 0;
    COEVAL_TRY(ingest::read_past(
        past, source, {}, [&](const data::Batch& rows, std::span<const std::int64_t> known_us) {
          engine.remember(source, rows, known_us);
          count += rows.rows;
          return Status{};
        }));
    context.terminal.say("checks: " + std::to_string(count) + " rows of source " +
                         project.sources[static_cast<std::size_t>(source)].name + " are known");
  }
  return {};
}

// The champions that this definition can serve, and why the other models are not served.
struct Champions {
  serving::ModelTable table;
  serving::AbsentModels absent;
};

Error no_champion(const std::string& model, const std::vector<stores::ModelVersion>& versions) {
  if (versions.empty())
    return {Code::unknown_model,
            "model '" + model + "' has no built version",
            "coeval build " + model + ", then coeval promote " + model,
            {},
            {}};
  const bool any_passed =
      std::ranges::any_of(versions, [](const auto& version) { return version.gates_passed; });
  return {Code::unknown_model,
          "no version of model '" + model + "' is promoted (" + std::to_string(versions.size()) +
              (versions.size() == 1 ? " is" : " are") + " built" +
              (any_passed ? ")" : ", none passed its gates)"),
          any_passed ? "coeval promote " + model : "coeval show " + model + " names the gates",
          {},
          {}};
}

Error other_definition(const std::string& model, int version) {
  return {Code::changes_pending,
          "model " + model + "@v" + std::to_string(version) +
              ": its inputs are made by another definition than this server runs",
          "coeval build " + model + ", coeval promote " + model + ", then restart the server",
          {},
          {}};
}

// What cannot be served is said; in its place the model of `current` goes on, if there is one.
Result<Champions> load_champions(Context& context, stores::MetaStore& meta,
                                 const serving::ModelTable& current) {
  Champions found;
  for (const auto& model : context.project->models) {
    COEVAL_ASSIGN(const auto champion, meta.alias(model.name, "champion"));
    COEVAL_ASSIGN(const auto versions, meta.versions(model.name));
    if (!champion || *champion == 0) {
      Error why = no_champion(model.name, versions);
      context.terminal.say(why.message + ", not served (" + why.advice + ")");
      found.absent.emplace(model.name, std::move(why));
      continue;
    }
    for (const auto& version : versions) {
      if (version.version != *champion) continue;
      COEVAL_ASSIGN(auto served, training::load_version(context.state_folder, version, context.openers));
      if (!serving::same_request(served->card, *context.project, model)) {
        Error why = other_definition(model.name, *champion);
        context.terminal.say(why.message + ", not loaded (" + why.advice + ")");
        if (const auto kept = current.find(model.name); kept != current.end()) {
          context.terminal.say("model " + model.name + "@v" + std::to_string(kept->second.version) +
                               ": goes on");
          found.table.insert(*kept);
        } else {
          found.absent.emplace(model.name, std::move(why));
        }
        continue;
      }
      context.terminal.say("model " + model.name + "@v" + std::to_string(*champion) +
                           ": loaded, golden rows equal");
      found.table.emplace(model.name, serving::LoadedModel{std::move(served), *champion});
    }
  }
  return found;
}

void reload(Context& context, stores::MetaStore& meta, serving::Engine& engine,
            serving::HttpServer& server, serving::ModelTable& current) {
  auto found = load_champions(context, meta, current);
  if (!found) {
    context.terminal.say("reload failed, the models stay as they were: " + one_line(found.error()));
    return;
  }
  current = found->table;
  server.post([&engine, fresh = std::move(*found)]() mutable {
    engine.set_models(std::move(fresh.table), std::move(fresh.absent));
  });
}

// Says when snapshots begin to fail and when they are written again, and not each one.
std::function<void(const Status&)> say_snapshot_failures(Context& context) {
  return [&context, failing = std::optional<Code>()](const Status& outcome) mutable {
    if (!outcome && failing != outcome.error().code)
      context.terminal.say("state: a snapshot could not be written, and serving goes on: " +
                           one_line(outcome.error()));
    if (outcome && failing) context.terminal.say("state: snapshots are written again");
    failing = outcome ? std::nullopt : std::optional(outcome.error().code);
  };
}

int run_server(Context& context, stores::MetaStore& meta, serving::Engine& engine, Signals& signals,
               serving::ModelTable models) {
  serving::ServerOptions options;
  options.address = context.in.address;
  options.port = static_cast<std::uint16_t>(context.in.port);
  serving::HttpServer server(engine, options);
  if (auto bound = server.bind(); !bound) return context.report(bound.error());
  const std::string url = "http://" + options.address + ":" + std::to_string(server.port());
  if (auto written = write_running_server(context.state_folder, {getpid(), url}); !written)
    return context.report(written.error());
  context.terminal.print("serving at " + url);
  std::fflush(stdout);
  std::thread waiter([&] {
    for (int number = signals.wait(); number != SIGUSR1; number = signals.wait()) {
      if (number == SIGHUP)
        reload(context, meta, engine, server, models);
      else
        server.stop();
    }
  });
  Status served;
  {
    const ServerUpkeep upkeep(context);
    served = server.run();
  }
  pthread_kill(waiter.native_handle(), SIGUSR1);
  waiter.join();
  forget_running_server(context.state_folder);
  if (!served) return context.report(served.error());
  context.terminal.say("stopped");
  return 0;
}

}  // namespace

int serve(Context& context) {
  Signals signals;
  if (const auto code = context.load_project()) return *code;
  if (auto readable = replay::check_logged_schemas(*context.project, context.log_folder());
      !readable)
    return context.report(readable.error());
  const auto meta = context.open_meta();
  if (!meta) return context.report(meta.error());
  auto champions = load_champions(context, **meta, {});
  if (!champions) return context.report(champions.error());
  // Tried first, and let go: a port that is taken is said before the state is brought up.
  if (auto free =
          serving::listen_on(context.in.address, static_cast<std::uint16_t>(context.in.port));
      !free)
    return context.report(free.error());
  Startup startup(context);
  if (auto started = startup.run(); !started) return context.report(started.error());
  const bool data_clock = context.in.clock == "data";
  std::unique_ptr<Clock> clock;
  if (data_clock)
    clock = std::make_unique<ManualClock>(std::max(startup.cut_us, startup.log->last_known().us));
  else
    clock = std::make_unique<SystemClock>();
  serving::Engine::Options options;
  options.data_clock = data_clock;
  options.snapshot_pace = {.in_background = true, .slice_s = kSnapshotSliceS};
  options.on_snapshot = say_snapshot_failures(context);
  serving::Engine engine(context.project, std::move(startup.kernel), std::move(startup.log),
                         std::move(clock), context.state_folder, options, std::move(startup.names));
  if (startup.paged)
    engine.set_paged(startup.paged,
                     static_cast<std::size_t>(context.project->serving.memory_bytes));
  else
    engine.set_basis(startup.basis, std::move(startup.snapshot));
  engine.set_keys(std::move(startup.keys));
  if (auto prepared = engine.prepare(); !prepared) return context.report(prepared.error());
  if (auto told = tell_rows(context, engine); !told) return context.report(told.error());
  // What took a fold of all files is kept at once, so that a restart after a crash is quick too.
  if (startup.folded_all)
    if (auto saved = engine.snapshot_if_due(true); !saved) return context.report(saved.error());
  engine.set_models(champions->table, std::move(champions->absent));
  return run_server(context, **meta, engine, signals, std::move(champions->table));
}

}  // namespace coeval::cli
