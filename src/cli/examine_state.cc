#include "cli/examine_state.h"

#include <filesystem>

#include "cli/running_server.h"
#include "cli/state_origin.h"
#include "replay/past.h"
#include "stores/snapshots.h"
#include "stores/stored_state.h"

namespace coeval::cli {

namespace {

constexpr const char* kSubject = "state";
constexpr const char* kMadeAnew = "the next server makes it anew from files and log";

// The log that a state must be of, and its basis.
struct Origin {
  std::unique_ptr<stores::EventLog> log;
  std::string basis;
  Position end() const { return log ? log->next_position() : Position{0}; }
};

// Without a log the basis is that of none.
Result<Origin> find_origin(Context& context) {
  Origin origin;
  COEVAL_ASSIGN(origin.log, context.open_log_if_any());
  if (!origin.log) return origin;
  COEVAL_ASSIGN(const auto cut, replay::read_cut(*origin.log));
  if (!cut) return origin;
  COEVAL_ASSIGN(const auto files, hash_source_files(*context.project));
  origin.basis =
      stores::state_basis(state_definition(*context.project, cut->cut_us, files), cut->log_id);
  return origin;
}

std::string at_position(Position position) {
  return "as of log position " + std::to_string(position.value);
}

Result<std::string> stored_state_text(Context& context, const std::string& folder,
                                      const Origin& origin) {
  COEVAL_ASSIGN(stores::StateStores* const stores, load_state_stores(context.installation));
  COEVAL_ASSIGN(auto store, stores->open_for_reading(folder, {}));
  stores::StoredState stored(std::move(store), origin.basis);
  COEVAL_ASSIGN(const std::uint64_t units, stored.count_units());
  COEVAL_ASSIGN(const std::uint64_t bytes, stored.size_bytes());
  COEVAL_ASSIGN(const auto position, stored.stored_position());
  if (!position) return "nothing was written yet";
  std::string why;
  COEVAL_ASSIGN(const auto head, stored.find(origin.end(), origin.log.get(), &why));
  const std::string text = at_position(*position) + ", " + std::to_string(units) + " units, " +
                           std::to_string(bytes) + " bytes, all readable; ";
  if (head) return text + "of this definition and this log";
  return text + "not gone on from: " + why + "; " + kMadeAnew;
}

Result<std::string> snapshots_text(const std::string& folder, const Origin& origin) {
  COEVAL_ASSIGN(const auto found, stores::examine_snapshots(folder));
  if (!found.damaged.empty())
    return fail(Code::snapshot_corrupt, found.damaged.front(),
                "move " + folder + " away: the state is rebuilt from files and log");
  const std::string text = std::to_string(found.files) + " files of snapshots, " +
                           std::to_string(found.bytes) + " bytes, all readable; ";
  std::string why;
  COEVAL_ASSIGN(const auto chain,
                stores::find_snapshot(folder, origin.basis, origin.end(), &why, origin.log.get()));
  if (chain)
    return text + "the newest of this definition and this log is " + at_position(chain->position());
  return text + (why.empty() ? "none is of this definition" : why) + "; " + kMadeAnew;
}

void add(Findings& findings, const Result<std::string>& text) {
  if (text) return findings.add(kSubject, true, *text);
  if (text.error().code == Code::log_locked)
    return findings.add(kSubject, true, text.error().message + " and is not looked at");
  findings.add(kSubject, false, one_line(text.error()));
}

}  // namespace

void examine_state(Context& context, Findings& findings) {
  const bool on_disk = context.project->serving.on_disk;
  if (on_disk) {
    const auto module = load_state_stores(context.installation);
    findings.add("rocksdb adapter", module.has_value(),
                 module ? "loads" : module.error().message + "; " + module.error().advice);
    if (!module) return;
  }
  const std::string stored = context.state_folder + "/state",
                    snapshots = context.state_folder + "/snapshots";
  const std::string &folder = on_disk ? stored : snapshots, &other = on_disk ? snapshots : stored;
  if (std::filesystem::exists(other))
    findings.add(kSubject, true,
                 other + " is of what [serving] state said before; the next server removes it");
  if (!std::filesystem::exists(folder)) return findings.add(kSubject, true, "none saved yet");
  if (const auto server = find_running_server(context.state_folder))
    return findings.add(kSubject, true,
                        "open in the server at " + server->url + " and is not looked at");
  const auto origin = find_origin(context);
  if (!origin) return findings.add(kSubject, false, one_line(origin.error()));
  add(findings,
      on_disk ? stored_state_text(context, folder, *origin) : snapshots_text(folder, *origin));
}

}  // namespace coeval::cli
