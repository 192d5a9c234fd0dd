#include "world.h"

#include <utility>

#include "base/time.h"
#include "data/json.h"

namespace coeval::sim {

namespace {

constexpr std::int64_t kBeginUs = 991'396'800'000'000;  // 2001-06-01T12:00:00Z
constexpr std::int64_t kRowsAtOnce = 6;
constexpr int kTriesToRecover = 20;

// What a rule of semantics.md or of a contract says and the server does not do.
std::unexpected<Error> violated(std::string what) { return fail(Code::internal, std::move(what)); }

std::string numbered(std::size_t position) { return "record " + std::to_string(position); }

std::int64_t integer_at(const data::Json& json, std::string_view key) {
  const data::Json* member = json.find(key);
  const std::int64_t* value = member == nullptr ? nullptr : member->integer();
  return value == nullptr ? -1 : *value;
}

// One world in eight has long texts and large segments, so that places within a segment are noted.
constexpr std::uint64_t kLargeSegmentBytes = 400'000, kLongTextBytes = 40'000;
bool is_large(std::uint64_t seed) { return seed % 8 == 0; }

ServerSizes random_sizes(Random& random) {
  ServerSizes sizes;
  sizes.segment_bytes = 200 + random.below(6000);
  sizes.snapshot_every = 10 + random.below(80);
  sizes.slice_bytes = random.one_in(3) ? SIZE_MAX : std::size_t{1} << random.below(12);
  return sizes;
}

}  // namespace

void Tally::add(const Tally& other) {
  events += other.events;
  predictions += other.predictions;
  refusals += other.refusals;
  commits += other.commits;
  failed_commits += other.failed_commits;
  restarts += other.restarts;
  crashes += other.crashes;
  power_failures += other.power_failures;
  records_lost += other.records_lost;
  repairs += other.repairs;
  records_repaired_away += other.records_repaired_away;
  snapshots_used += other.snapshots_used;
  snapshots_damaged += other.snapshots_damaged;
  states_compared += other.states_compared;
}

World::World(const Definition& definition, Plant plant, std::uint64_t seed, ServerSizes sizes,
             Trace trace)
    : definition_(definition),
      plant_(plant),
      random_(seed),
      trace_(std::move(trace)),
      server_(definition, plant, sizes, kBeginUs),
      now_us_(kBeginUs),
      calm_(std::uint64_t{1} << random_.below(5)) {}

Result<std::unique_ptr<World>> World::create(const Definition& definition, Plant plant,
                                             std::uint64_t seed, Trace trace) {
  Random of_sizes(~seed);
  ServerSizes sizes = random_sizes(of_sizes);
  if (is_large(seed)) sizes.segment_bytes = kLargeSegmentBytes;
  std::unique_ptr<World> world(new World(definition, plant, seed, sizes, std::move(trace)));
  if (is_large(seed)) world->habits_.longest_text = kLongTextBytes;
  COEVAL_ASSIGN(world->model_, Model::create(definition, world->random_));
  world->say("a new world");
  COEVAL_TRY(world->recover({}));
  return world;
}

void World::say(std::string action) {
  action_ = std::move(action);
  if (trace_) trace_(action_);
}

Status World::step() {
  seconds_ += static_cast<double>(random_.below(60)) / 1000;
  server_.set_seconds(seconds_);
  COEVAL_TRY(act());
  if (server_.files().dead()) {
    const bool power_fails = random_.one_in(2);
    COEVAL_TRY(crash(power_fails, random_.one_in(6)));
  }
  return check_step();
}

Status World::act() {
  const bool goes_wrong = random_.below(4 * calm_) == 0;
  const std::uint64_t choice = random_.below(100);
  if (goes_wrong) {
    if (choice < 50) return change_faults();
    if (choice < 80) return crash(random_.one_in(2), random_.one_in(6));
    return heal(), Status{};
  }
  if (slow_steps_ > 0) --slow_steps_;
  if (choice < 30 && slow_steps_ == 0) return commit();
  if (choice < 70) return send_events();
  if (choice < 88) {
    const std::uint64_t questions = 1 + random_.below(3);
    for (std::uint64_t i = 0; i < questions; ++i) COEVAL_TRY(ask());
    return {};
  }
  if (choice < 93) return move_clock();
  if (choice < 96) return snapshot();
  if (choice < 98) return restart();
  return heal(), Status{};
}

Status World::finish() {
  heal();
  server_.files().revive();  // nor will the process die any more
  // The first round may still be answered with the failure of the disk as it was.
  static_cast<void>(server_.engine().commit());
  fault_in_round_ = false;
  COEVAL_TRY(commit());
  return restart();
}

bool World::faulty() {
  const stores::FaultPlan& plan = server_.faults();
  return server_.files().dead() || plan.room_bytes != stores::FaultPlan::kNever ||
         plan.syncs_left != stores::FaultPlan::kNever ||
         plan.opens_left != stores::FaultPlan::kNever;
}

void World::heal() {
  say("the disk is well again");
  server_.faults() = {};
  slow_steps_ = 0;
}

World::Before World::before() {
  fault_in_round_ = fault_in_round_ || faulty();
  fault_in_snapshot_ = fault_in_snapshot_ || faulty();
  return {model_->size(), server_.engine().ready(), fault_in_round_};
}

// What a call has done to what is promised, whatever it answered.
void World::settle(const Before& before) {
  fault_in_round_ = fault_in_round_ || faulty();
  if (!server_.engine().ready()) {
    model_->take_back_what_was_handed();
    return;
  }
  // The end of a failure is a sync of all that was appended before.
  if (!before.ready) model_->acknowledge(before.size);
  if (!server_.engine().has_uncommitted()) model_->acknowledge(model_->size());
}

// Only a disk that fails, or did in this round, is a reason to refuse what is sound.
Status World::judge_refusal(const Before& before, int status, const std::string& body) const {
  if (status >= 500 && (before.faulty || fault_in_round_)) return {};
  return violated("what is sound was refused with " + std::to_string(status) + ": " + body);
}

// semantics: T1. Known by a clock that never goes back.
std::int64_t World::next_known_us() const { return std::max(now_us_, model_->last_known_us()); }

Status World::send_events() {
  const std::uint64_t chosen = random_.below(definition_.sources.size());
  const int index = definition_.sources[chosen];
  const define::Source& source = definition_.project->sources[static_cast<std::size_t>(index)];
  const auto rows = 1 + static_cast<std::int64_t>(random_.below(kRowsAtOnce));
  const data::Batch batch = random_rows(random_, habits_, source, rows, now_us_);
  std::string body;
  for (std::int64_t row = 0; row < rows; ++row) body += json_of(batch, row) + "\n";
  const bool one_is_bad = random_.one_in(20);
  if (one_is_bad) body += "{\"ts\":17}\n";
  say("sends " + std::to_string(rows) + (one_is_bad ? " events and a bad row" : " events") +
      " to " + source.name);

  const Before before = this->before();
  const std::int64_t known_us = next_known_us();
  const serving::Answer answer = server_.engine().events(source.name, body, {});
  const std::uint64_t end = server_.log().next_position().value;
  const auto appended =
      end > before.size ? static_cast<std::int64_t>(end - before.size) : std::int64_t{0};
  settle(before);
  if (appended > rows) return violated("more was appended than was sent");
  COEVAL_ASSIGN(const std::int64_t duplicates,
                model_->append_events(index, batch, appended, known_us));
  tally_.events += static_cast<std::uint64_t>(appended);
  if (answer.status != 200) {
    ++tally_.refusals;
    return judge_refusal(before, answer.status, answer.body);
  }
  if (appended != rows) return violated("an answer of 200, and not all rows were appended");
  if (plant_ == Plant::acknowledged_before_commit) model_->acknowledge(model_->size());
  return check_taken(answer.body, rows, duplicates, one_is_bad);
}

// What the sender is told of rows that were taken.
Status World::check_taken(const std::string& body, std::int64_t rows, std::int64_t duplicates,
                          bool one_is_bad) const {
  COEVAL_ASSIGN(const data::Json json, data::parse_json(body));
  const std::int64_t accepted = integer_at(json, "accepted");
  if (accepted != rows - duplicates)
    return violated("of " + std::to_string(rows) + " rows with " + std::to_string(duplicates) +
                    " duplicates " + std::to_string(accepted) + " were accepted");
  if (integer_at(json, "last_position") != static_cast<std::int64_t>(model_->size()) - 1)
    return violated("the answer names another last position: " + body);
  if (integer_at(json, "quarantined") != (one_is_bad ? 1 : 0))
    return violated("other rows were quarantined than the bad one: " + body);
  return {};
}

Status World::commit() {
  say("commits");
  const Before before = this->before();
  const Status done = server_.engine().commit();
  fault_in_round_ = faulty();  // the next round begins
  settle(before);
  if (!done) {
    ++tally_.failed_commits;
    return judge_refusal(before, info(done.error().code).http_status, one_line(done.error()));
  }
  ++tally_.commits;
  model_->commit();
  const Before next = this->before();
  const Status saved = server_.engine().snapshot_if_due(false);
  settle(next);
  return judge_snapshot(next, saved);
}

// What was saved must be found again. What was not may have failed in any round since the snapshot
// was begun.
Status World::judge_snapshot(const Before& before, const Status& saved) {
  const bool met_fault = std::exchange(fault_in_snapshot_, false) || fault_in_round_;
  if (server_.engine().snapshot_is_under_way()) fault_in_snapshot_ = met_fault;
  if (const auto last = server_.engine().snapshot_position())
    snapshot_floor_ = std::max(snapshot_floor_, last->value);
  // A snapshot does not end a failure of the log; the next round does.
  if (saved || !before.ready || met_fault) return {};
  return judge_refusal(before, 500, one_line(saved.error()));
}

Status World::snapshot() {
  say("takes a snapshot");
  const Before before = this->before();
  const bool unsynced =
      plant_ == Plant::snapshot_before_commit && !server_.engine().snapshot_is_under_way();
  const Status saved =
      unsynced ? server_.save_snapshot_unsynced() : server_.engine().snapshot_if_due(true);
  settle(before);
  // It syncs the log first, also while bad rows still wait for the round's end.
  if (server_.engine().ready() && !unsynced) model_->acknowledge(before.size);
  return judge_snapshot(before, saved);
}

Status World::ask() {
  const std::string key(1, static_cast<char>('a' + random_.below(habits_.keys + 1)));
  // semantics: T3
  std::int64_t at_us = std::max(
      now_us_, model_->last_known_us() == INT64_MIN ? INT64_MIN : model_->last_known_us() + 1);
  std::string body = "{\"k\":\"" + key + "\"";
  if (random_.one_in(2)) {
    const auto back = static_cast<std::int64_t>(
        random_.below(static_cast<std::uint64_t>(definition_.lateness_us + kMinuteUs)));
    at_us -= back;
    body += ",\"at\":\"" + format_time(at_us) + "\"";
  }
  say("asks about " + key + " at " + format_time(at_us));
  const Before before = this->before();
  const std::int64_t known_us = next_known_us();
  const serving::Answer answer = server_.engine().predict(kModel, body + "}", true, {});
  settle(before);
  if (answer.status >= 500) {
    ++tally_.refusals;
    return judge_refusal(before, answer.status, answer.body);
  }
  if (!model_->reaches(at_us)) {
    if (answer.body.find(code_name(Code::question_too_old)) != std::string::npos) return {};
    return violated("a question before the state's reach was answered: " + answer.body);
  }
  if (answer.status != 200) return judge_refusal(before, answer.status, answer.body);
  COEVAL_ASSIGN(Model::Answer expected, model_->ask(key, at_us));
  if (answer.body.find("\"features\":" + expected.features_json) == std::string::npos)
    return violated("a fresh kernel answers " + expected.features_json + ", the server " +
                    answer.body);
  model_->append_prediction(known_us, at_us, std::move(expected.features));
  ++tally_.predictions;
  return {};
}

Status World::move_clock() {
  const std::uint64_t kind = random_.below(8);
  const auto within = [&](std::int64_t us) {
    return static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(us)));
  };
  if (kind == 0)
    now_us_ -= within(2 * kHourUs);
  else if (kind == 1)
    now_us_ += within(3 * kDayUs);
  else if (kind < 4)
    now_us_ += within(kHourUs);
  else
    now_us_ += within(kMinuteUs);
  say("the clock says " + format_time(now_us_));
  server_.set_now(now_us_);
  return {};
}

Status World::change_faults() {
  stores::FaultPlan& plan = server_.faults();
  const std::uint64_t kind = random_.below(10);
  if (kind < 2) {
    plan.room_bytes = random_.below(3000);
    say("the disk has room for " + std::to_string(plan.room_bytes) + " bytes");
  } else if (kind == 2) {
    plan.syncs_left = random_.below(4);
    say("syncs fail after " + std::to_string(plan.syncs_left));
  } else if (kind == 3) {
    plan.write_limit = 1 + random_.below(100);
    say("a write takes " + std::to_string(plan.write_limit) + " bytes");
  } else if (kind == 4) {
    plan.opens_left = random_.below(3);
    say("files cannot be opened after " + std::to_string(plan.opens_left));
  } else if (kind == 5) {
    slow_steps_ = 5 + random_.below(30);
    say("the disk is slow for " + std::to_string(slow_steps_) + " steps");
  } else if (kind < 8) {
    server_.files().die_in_sync();
    say("the process will die in its next sync");
  } else {
    const std::uint64_t operations = random_.below(12);
    server_.files().die_after(operations, random_.bits());
    say("the process will die in its operation " + std::to_string(operations));
  }
  return {};
}

Status World::restart() {
  say("restarts");
  ++tally_.restarts;
  const Before before = this->before();
  const Status synced = server_.engine().sync();
  settle(before);
  if (!synced)
    COEVAL_TRY(
        judge_refusal(before, info(synced.error().code).http_status, one_line(synced.error())));
  if (synced && random_.one_in(2)) COEVAL_TRY(snapshot());
  if (server_.files().dead()) return {};  // step() goes on with it
  Damage damage;
  const stores::FaultPlan& plan = server_.faults();
  damage.refused = !server_.engine().ready() && plan.opens_left > 0 && plan.syncs_left > 0;
  server_.close();
  damage.refused = damage.refused && !server_.files().dead();
  server_.files().revive();
  return recover(damage);
}

Status World::crash(bool power_fails, bool damages_snapshot) {
  say(std::string(power_fails ? "the power fails" : "the process is killed") +
      (damages_snapshot ? ", the newest snapshot rots" : ""));
  ++tally_.crashes;
  server_.kill();
  Damage damage;
  if (power_fails) COEVAL_TRY(lose_power(damage));
  if (damages_snapshot) {
    COEVAL_ASSIGN(damage.snapshot, server_.damage_newest_snapshot(random_));
    if (damage.snapshot) ++tally_.snapshots_damaged;
  }
  return recover(damage);
}

Status World::lose_power(Damage& damage) {
  ++tally_.power_failures;
  damage.power_failed = true;
  COEVAL_ASSIGN(const Server::Rot rot, server_.lose_power(random_));
  // What rotted before may not have been mended yet.
  if (damage.log != Server::Rot::middle) damage.log = rot;
  return {};
}

Status World::recover(Damage damage) {
  server_.faults() = {};
  fault_in_round_ = fault_in_snapshot_ = false;
  slow_steps_ = 0;
  if (damage.snapshot) snapshot_floor_ = 0;
  for (int tries = 0; tries < kTriesToRecover; ++tries) {
    const std::size_t at_least = damage.power_failed ? model_->acknowledged() : model_->handed();
    if (random_.one_in(6)) server_.files().die_after(random_.below(6), random_.bits());
    const auto recovered = server_.start();
    if (recovered && !server_.files().dead()) {
      server_.files().revive();
      return check_recovered(*recovered, at_least,
                             damage.refused ? model_->acknowledged() : model_->size());
    }
    if (!server_.files().dead()) {
      const bool asks_for_repair = recovered.error().code == Code::log_corrupt;
      if (!asks_for_repair || damage.log != Server::Rot::middle)
        return violated("recovery fails: " + one_line(recovered.error()));
      damage.log = Server::Rot::none;
      COEVAL_TRY(repair(at_least));
      continue;
    }
    ++tally_.crashes;
    server_.kill();
    if (!random_.one_in(2)) continue;
    say("the power fails during recovery");
    COEVAL_TRY(lose_power(damage));
  }
  return violated("recovery dies again and again");
}

// A person looks at the damage: what was promised must not be among what is taken out.
Status World::repair(std::size_t at_least) {
  say("the log is repaired");
  ++tally_.repairs;
  COEVAL_ASSIGN(const stores::LogReport report, server_.repair());
  if (!report.problem.empty()) return violated("repair leaves a problem: " + report.problem);
  COEVAL_ASSIGN(const auto log, server_.read_log());
  std::string wrong;
  COEVAL_TRY(log->read(Position{0}, [&](const stores::Record& record) {
    const std::uint64_t position = record.position.value;
    if (record.kind != stores::RecordKind::lost || position >= model_->size()) return true;
    if (model_->record(position).kind == stores::RecordKind::lost) return true;
    if (position < at_least) {
      wrong = "repair took " + numbered(position) + " away, which was promised";
      return false;
    }
    model_->lose(position, record.known.us);
    ++tally_.records_repaired_away;
    return true;
  }));
  return wrong.empty() ? Status{} : violated(wrong);
}

Status World::check_recovered(const Server::Recovered& recovered, std::size_t at_least,
                              std::size_t at_most) {
  const std::size_t found = server_.log().next_position().value;
  if (found < at_least)
    return violated(numbered(found) + " and those after it were promised to be there (up to " +
                    std::to_string(at_least) + ") and are gone");
  if (found > at_most)
    return violated("the log has " + std::to_string(found) + " records, and " +
                    std::to_string(at_most) + " were appended and not refused");
  tally_.records_lost += model_->size() - found;
  COEVAL_TRY(model_->recover_to(found));
  if (recovered.snapshot) ++tally_.snapshots_used;
  if (recovered.snapshot.value_or(Position{0}).value < snapshot_floor_)
    return violated("the snapshot of position " + std::to_string(snapshot_floor_) +
                    ", which was saved, is not found" +
                    (recovered.warning.empty() ? "" : ": " + recovered.warning));
  COEVAL_TRY(check_log());
  return check_state();
}

// Invariants of every step. The costly ones are left out of some steps; recovery has them all.
Status World::check_step() {
  if (server_.engine().ready()) {
    if (server_.log().next_position().value != model_->size())
      return violated("the next position is " +
                      std::to_string(server_.log().next_position().value) + ", and " +
                      std::to_string(model_->size()) + " records were appended");
    if (server_.log().last_known().us != model_->last_known_us())
      return violated("the last known time is not that of the last record");
  }
  const std::uint64_t chosen = random_.below(16);
  if (chosen == 0) return check_log();
  if (chosen < 3) return check_state();
  return {};
}

// As the server reads the log, and as another process does.
Status World::check_log() {
  COEVAL_TRY(check_records(server_.log()));
  if (random_.one_in(2)) return {};
  COEVAL_ASSIGN(const auto log, server_.read_log());
  return check_records(*log);
}

// Every promised record is there, once, in order, with its bytes, and nothing that was never
// appended.
Status World::check_records(const stores::EventLog& log) {
  // Mostly from the beginning, else as those who come later read.
  const std::uint64_t later = random_.below(model_->handed() + 1);
  std::size_t position = random_.one_in(4) ? later : 0;
  std::string different;
  COEVAL_TRY(log.read(Position{position}, [&](const stores::Record& record) {
    different = model_->difference(record, position);
    if (different.empty()) ++position;
    return different.empty();
  }));
  if (!different.empty()) return violated(numbered(position) + " " + different);
  if (position < model_->handed())
    return violated(numbered(position) + " is not shown, and " + std::to_string(model_->handed()) +
                    " records were handed to the system");
  return {};
}

Status World::check_state() {
  ++tally_.states_compared;
  if (server_.state() == model_->state()) return {};
  return violated("the state is not that of a kernel which had the same " +
                  std::to_string(model_->size()) + " records without a break");  // semantics: A5
}

}  // namespace coeval::sim
