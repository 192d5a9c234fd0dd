#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "data/json.h"
#include "define/project.h"
#include "kernel/event_index.h"
#include "kernel/kernel.h"
#include "models/model_folder.h"
#include "quality/checks.h"
#include "serving/counters.h"
#include "serving/paged_state.h"
#include "serving/prediction_id.h"
#include "serving/request_keys.h"
#include "serving/state_snapshots.h"
#include "stores/event_log.h"
#include "stores/prediction_record.h"

namespace coeval::serving {

/// A model as the server has it under a name.
struct LoadedModel {
  std::shared_ptr<const models::ServedModel> served;
  int version = 0;
};
using ModelTable = std::map<std::string, LoadedModel, std::less<>>;
/// Models that the definition has and the server does not serve, with the answer to who asks them.
using AbsentModels = std::map<std::string, Error, std::less<>>;

/// The answer of a request: status and a JSON body (text for metrics()).
struct Answer {
  int status = 200;
  std::string body;
};
/// What a request says about its body of events.
struct EventsRequest {
  std::string_view key = {};  ///< Idempotency-Key; empty = none
  bool lines = false;         ///< NDJSON, as Content-Type says; otherwise it is seen from the body
};
/// What a person wants to see of a running server.
struct Overview {
  struct Model {
    std::string name;
    int version = 0;
    std::string bits_id;
    std::string problem;  ///< why it cannot be served; empty when it can
    data::Schema question;
  };
  struct View {
    std::string name;
    std::int64_t entities = 0, events = 0;
  };
  std::string project, ir_hash;
  std::uint64_t log_position = 0;
  std::int64_t last_known_us = INT64_MIN;
  bool data_clock = false, writable = true;
  std::vector<Model> models;
  std::vector<std::pair<std::string, std::string>> absent;  ///< models not served, with the reason
  std::vector<View> views;
};

/// {"error": "...", "code": "C....", "advice": "..."}
data::Json error_json(const Error& error);
/// The same as an answer with the code's HTTP status.
Answer error_answer(const Error& error);

/// The request path: events into log and state, questions out of state into scores and the log.
///
/// Events and predictions are appended to the log but not yet synced: the server calls commit()
/// once for all requests of one readiness round before it sends any of their answers. (group
/// commit) What an answer then promises: an acknowledged event is on disk (fsync); a prediction was
/// handed to the operating system and is on disk within 100 ms or with the next event, whichever is
/// first.
///
/// While the log cannot be written (a full disk), events are refused with that error; predictions
/// are answered and held in memory, as many as fit; and every round tries to go on. See LogWriter
/// for what becomes of them and of the round that failed.
///
/// Threading: one thread, but set_models may be called from any.
class Engine {
 public:
  struct Options {
    bool data_clock = false;        ///< --clock data: time is the log's own, moved by requests
    bool include_features = false;  ///< answers carry the features without being asked to
    std::uint64_t snapshot_every = 200'000;  ///< log records between two snapshots
    std::shared_ptr<stores::FileLayer> snapshot_files = nullptr;  ///< null = the disk
    SnapshotPace snapshot_pace = {};                              ///< at once, where it is due
    /// Called with what became of each snapshot; on the engine's thread.
    std::function<void(const Status&)> on_snapshot = nullptr;
    /// Seconds by a clock that never goes back, for syncs that are due; null = the machine's. The
    /// simulator owns time and files.
    std::function<double()> monotonic_s = nullptr;
  };
  /// At most so many questions in one request.
  static constexpr std::size_t kMaxQuestions = 10'000;

  /// `kernel` and `names` already hold history up to the cut and the log up to its end; null names
  /// are those of no events. Snapshots and quarantine go to folders of `state_folder`.
  Engine(std::shared_ptr<const define::Project> project, std::unique_ptr<kernel::Kernel> kernel,
         std::unique_ptr<stores::EventLog> log, std::unique_ptr<Clock> clock,
         std::string state_folder, Options options,
         std::unique_ptr<kernel::EventIndexes> names = nullptr);
  ~Engine();
  /// Call once, before the first request. Errors: bad_toml_value for a pattern.
  Status prepare();
  /// Whether checks of rows look back at rows of this source: after prepare(), remember() has to be
  /// told those that are there, in order, with their known times.
  bool remembers(int source) const;
  void remember(int source, const data::Batch& rows, std::span<const std::int64_t> known_us);

  /// Swaps the served models in one step; requests that began keep the table that they started
  /// with.
  void set_models(ModelTable table, AbsentModels absent = {});

  /// POST /v1/predict/{model}: an object, or an array of at most 10,000. Each question: the model's
  /// question columns by name, optionally "at". Body of one:
  /// {"prediction_id","model","version","at", "position","score","decision"[,"features"]}, of a
  /// multiclass model with the decided class as "decision", its "score", and "scores" by class; of
  /// many:
  /// {"predictions":[…]} in order, where a bad one has "row", "error" and "code" in its place.
  /// `features` asks for the input values. `now_us` is the arrival moment under the data clock
  /// (nothing otherwise).
  ///
  /// A question obeys the declared rules of its source's columns, as an event does: one that breaks
  /// any is not asked and not logged, and its error (bad_row, 422) has "broken_rules":
  /// [{"column","rule","found","reason"}…], all of them.
  Answer predict(std::string_view model, std::string_view body, bool features,
                 std::optional<std::int64_t> now_us);
  /// POST /v1/rank/{model}: {"context": {…}, "candidates": [{…}, …], "k": 10}, at most 10,000
  /// candidates. Each candidate with the context's columns is a question, all of one moment,
  /// answered and logged as predict() does. Body:
  /// {"model","version","ranking":[{"candidate",…}],"refused":[…]}: the k highest scores first, of
  /// equal ones the earlier candidate; without "k" all. Those of candidates that cannot be asked
  /// stand in "refused" with "candidate"; a request without any other gets the first one's error.
  /// Not of a multiclass model, which has no single score.
  Answer rank(std::string_view model, std::string_view body, bool features,
              std::optional<std::int64_t> now_us);
  /// POST /v1/events/{source}: one object, an array, or NDJSON (one object a line). Answer:
  /// {"accepted":n,"quarantined":m,"errors":[{"row":i,"rules":[…],"reason":"…"}],"last_position":p}.
  /// A body of one bad row is 422; otherwise 200. Good rows are kept. "errors" lists the first 100.
  /// Of a source with an id also "duplicates":n, which are logged and count as no events.
  ///
  /// With a key, the answer is logged before the events, all in one, and the same request gets it
  /// again and appends nothing. With another body, or moment, that is key_reused; before the first
  /// is on disk request_under_way. An answer that takes nothing because the body cannot be read as
  /// a whole is not kept. (RequestKeys)
  Answer events(std::string_view source, std::string_view body, std::optional<std::int64_t> now_us,
                EventsRequest request = {});
  Answer prediction(std::string_view id);  ///< GET /v1/predictions/{id}
  Answer models() const;                   ///< GET /v1/models
  Answer metrics() const;                  ///< GET /metrics, Prometheus text
  Overview overview() const;               ///< GET /

  /// Makes everything appended so far as durable as its answers promise (log, quarantine). An error
  /// takes the place of the answers of this round's events.
  Status commit();
  /// Makes everything durable now, recent predictions too: at shutdown.
  Status sync();
  /// Something awaits commit(): appended records that are not on disk yet, or quarantined rows.
  bool has_uncommitted() const;
  /// False while the log cannot be written.
  bool ready() const;

  /// After each round: begins a snapshot of the state when enough was appended since the last, or
  /// goes on for a slice with the one that is under way. Errors: io, disk_full, of one that ended
  /// now; serving goes on without. `force`, at shutdown: one of the state as it is now is written
  /// before this returns.
  Status snapshot_if_due(bool force);
  /// Begins a snapshot now, if none is under way.
  Status begin_snapshot();
  bool snapshot_is_under_way() const;
  /// Whether the snapshot under way can go on at once.
  bool snapshot_is_busy() const;
  /// The position of the newest snapshot that was written, or that the state was restored from.
  std::optional<Position> snapshot_position() const;

  /// The keys of requests that the log holds. Before the first request.
  void set_keys(RequestKeys keys);

  /// What a snapshot of this state depends on (stores::SnapshotHead::basis), and the one that the
  /// state was restored from. Without a basis none is written.
  void set_basis(std::string basis, std::optional<stores::SnapshotChain> restored_from = {});
  /// The same with a state that is kept in a store, whose entities need not all be in memory: it
  /// was restored from there or is new. When those in memory take more than `memory_bytes`, what
  /// changed is written, and some leave. The kernel must page from `paged`.
  void set_paged(std::shared_ptr<PagedState> paged, std::size_t memory_bytes);

  const Options& options() const;
  const define::Project& project() const;
  Counters& counters();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace coeval::serving
