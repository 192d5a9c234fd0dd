// What a snapshot costs those who ask meanwhile. A server's engine with many entities takes events
// and questions in turn, as its one thread does, without sockets. Printed is how long a question
// takes, in CPU time of that thread, which other programs on the machine do not disturb: the slice
// of a snapshot that may be under way when it arrives, and then the question itself. Four times:
// with no snapshot; while one is captured by slices and written by a thread of its own; while one
// is captured whole, and so waits in one piece; and while all of a state is written for the first
// time. Then with a state in RocksDB, of whose entities all, a half and a tenth fit into memory.
//
//   snapshot_bench [entities] [events] [slice_us] [disk]      disk: only the last

#include <dlfcn.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/time.h"
#include "kernel/kernel.h"
#include "serving/engine.h"
#include "serving/paged_state.h"
#include "serving/small_model_for_tests.h"

namespace {

using namespace coeval;

constexpr std::int64_t kStart = 991'353'600'000'000;  // 2001-06-01
constexpr std::int64_t kStep = 100'000;               // between two events, in µs
constexpr std::int64_t kRowsAtOnce = 10'000;
constexpr std::uint64_t kEventsPerSnapshot = 200'000;

constexpr const char* kDefinition = R"toml([project]
name = "payments"
[source.payments]
time  = "ts"
known = "event time"
[source.payments.columns]
ts     = { type = "timestamp" }
card   = { type = "int64", known = "ts" }
shop   = { type = "int64", known = "ts" }
amount = { type = "float64", known = "ts" }
fraud  = { type = "bool", known = "ts + 7d" }
[view.card]
from    = "payments"
by      = ["card"]
windows = ["1h", "24h", "14d"]
count   = "count()"
sum     = "sum(amount)"
spread  = "std(amount)"
high    = "max(amount)"
[view.shop]
from    = "payments"
by      = ["shop"]
windows = ["1h", "24h"]
count   = "count()"
sum     = "sum(amount)"
[view.everyone]
from    = "payments"
by      = []
windows = ["1h"]
count   = "count()"
mean    = "mean(amount)"
[model.fraud]
question = { from = "payments", at = "ts" }
label    = "fraud"
inputs   = ["amount", "card.*", "shop.*", "everyone.*"]
split    = { train_until = 2001-05-01, validate_until = 2001-06-01, test_until = 2001-07-01 }
gate     = { auc = ">= 0.5" }
)toml";

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "snapshot_bench: %s\n", why.c_str());
  std::exit(1);
}

template <class T>
T need(Result<T> result) {
  if (!result) give_up(one_line(result.error()));
  return std::move(*result);
}
void need(const Status& status) {
  if (!status) give_up(one_line(status.error()));
}

double cpu_us() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

struct Sizes {
  std::uint64_t entities = 200'000;
  std::int64_t events = 2'000'000;
};

// Some keys are much more frequent than others.
std::int64_t random_key(std::mt19937_64& random, std::uint64_t keys) {
  const std::uint64_t among = random() % 4 == 0 ? keys / 100 + 1 : keys;
  return static_cast<std::int64_t>(random() % among);
}

data::Batch random_rows(std::mt19937_64& random, const data::Schema& schema, const Sizes& sizes,
                        std::int64_t first, std::vector<std::int64_t>& known) {
  data::Batch batch{schema, {}, kRowsAtOnce};
  known.clear();
  for (std::int64_t row = 0; row < kRowsAtOnce; ++row)
    known.push_back(kStart + (first + row) * kStep);
  for (const auto& field : schema.fields) {
    data::ColumnBuilder builder(field.type);
    for (const std::int64_t us : known) {
      if (field.name == "ts") builder.append_integer(us);
      if (field.name == "card") builder.append_integer(random_key(random, sizes.entities));
      if (field.name == "shop") builder.append_integer(random_key(random, sizes.entities / 20));
      if (field.name == "amount")
        builder.append_real(static_cast<double>(random() % 100'000) / 100);
      if (field.name == "fraud") builder.append_boolean(random() % 100 == 0);
    }
    batch.columns.push_back(builder.finish());
  }
  return batch;
}

void show(const char* what, std::vector<double> us) {
  if (us.empty()) return;
  std::ranges::sort(us);
  const auto at = [&](double part) {
    return us[std::min(us.size() - 1,
                       static_cast<std::size_t>(part * static_cast<double>(us.size())))];
  };
  std::printf("%-44s %8zu questions  p50 %7.1f  p99 %7.1f  p99.9 %8.1f  max %9.1f us\n", what,
              us.size(), at(0.5), at(0.99), at(0.999), us.back());
}

class Bench {
 public:
  Bench(const Sizes& sizes, serving::SnapshotPace pace) : sizes_(sizes) {
    auto checked = define::check_text(kDefinition, "coeval.toml");
    for (const Error& error : checked.errors) give_up(one_line(error));
    project_ = std::make_shared<const define::Project>(std::move(*checked.project));
    std::vector<int> views(project_->views.size());
    std::iota(views.begin(), views.end(), 0);
    auto kernel = need(kernel::Kernel::create(project_, views));
    std::vector<std::int64_t> known;
    for (std::int64_t first = 0; first < sizes.events; first += kRowsAtOnce) {
      const auto rows = random_rows(random_, project_->sources[0].schema, sizes, first, known);
      const auto block = need(kernel->prepare_events(0, rows, known));
      for (std::int64_t row = 0; row < rows.rows; ++row) kernel->apply(block, row);
    }
    folder_ = "/dev/shm/snapshot-bench-XXXXXX";
    if (::mkdtemp(folder_.data()) == nullptr) give_up("no temporary folder");
    auto clock = std::make_unique<ManualClock>(kStart + sizes.events * kStep);
    clock_ = clock.get();
    serving::Engine::Options options;
    options.snapshot_every = 1ull << 60;
    options.snapshot_pace = pace;
    kernel_ = kernel.get();
    engine_ = std::make_unique<serving::Engine>(project_, std::move(kernel),
                                                need(stores::open_log(folder_ + "/log")),
                                                std::move(clock), folder_, options);
    need(engine_->prepare());
    const define::Model& model = *project_->find_model("fraud");
    engine_->set_models({{"fraud", need(serving::testing::stump_model(
                                       model, serving::testing::many_stumps(model, 150), {"a"}))}});
  }
  ~Bench() {
    engine_.reset();
    std::filesystem::remove_all(folder_);
  }

  // From now on entities stand in a store, and a share of them fits into memory.
  void state_on_disk(stores::StateStores& states, double share) {
    const auto state = std::make_shared<serving::PagedState>(
        std::make_shared<stores::StoredState>(need(states.open(folder_ + "/state", {})), "bench"));
    kernel::EventIndexes no_names(*project_);
    need(state->restore(Position{0}, *kernel_, no_names));
    const auto bytes = static_cast<double>(kernel_->entity_bytes());
    engine_->set_paged(state, static_cast<std::size_t>(bytes * share));
    need(engine_->snapshot_if_due(true));
    reads_ = [state] { return state->keys_read(); };
  }
  std::uint64_t reads() const { return reads_(); }

  void snapshots_on(const char* basis) { engine_->set_basis(basis); }
  serving::Engine& engine() { return *engine_; }
  const std::string& folder() const { return folder_; }

  // One event and one question, and what is left of the round; what the question took.
  double round(bool snapshots) {
    const std::int64_t now = clock_->now_us() + kStep;
    clock_->set(now);
    const std::string who =
        R"("card":)" + std::to_string(random_key(random_, sizes_.entities)) + R"(,"shop":)" +
        std::to_string(random_key(random_, sizes_.entities / 20)) + R"(,"amount":17.5)";
    const std::string event =
        R"({"ts":")" + format_time(now) + R"(",)" + who + R"(,"fraud":false})";
    if (engine_->events("payments", event, {}).status != 200) give_up("event");
    const double began = cpu_us();
    const auto answer = engine_->predict("fraud", "{" + who + "}", false, {});
    if (answer.status != 200) give_up(answer.body);
    const double answered = cpu_us();
    need(engine_->commit());
    const double slice_began = cpu_us();
    if (snapshots) need(engine_->snapshot_if_due(false));
    const double took = slice_us_ + answered - began;
    slice_us_ = cpu_us() - slice_began;
    return took;
  }

 private:
  Sizes sizes_;
  std::mt19937_64 random_{1};
  std::shared_ptr<const define::Project> project_;
  std::string folder_;
  ManualClock* clock_ = nullptr;
  kernel::Kernel* kernel_ = nullptr;
  std::unique_ptr<serving::Engine> engine_;
  double slice_us_ = 0;
  std::function<std::uint64_t()> reads_;
};

stores::StateStores& rocksdb_states() {
  void* module = dlopen(COEVAL_BINARY_DIR "/lib/coeval_rocksdb.so", RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) give_up(dlerror());
  using Make = int (*)(stores::StateStores**);
  const auto make = reinterpret_cast<Make>(dlsym(module, "coeval_state_stores_v1"));
  stores::StateStores* states = nullptr;
  if (make == nullptr || make(&states) != 0) give_up("no stores in the module");
  return *states;  // for as long as the process runs
}

void measure_on_disk(const Sizes& sizes, const serving::SnapshotPace& pace) {
  for (const double share : {1.2, 0.5, 0.1}) {
    Bench bench(sizes, pace);
    bench.state_on_disk(rocksdb_states(), share);
    for (int i = 0; i < 20'000; ++i) bench.round(true);
    const std::uint64_t reads = bench.reads();
    std::vector<double> took;
    constexpr int kRounds = 200'000;
    const double began = cpu_us();
    for (int i = 0; i < kRounds; ++i) took.push_back(bench.round(true));
    const double round_us = (cpu_us() - began) / kRounds;
    std::printf(
        "on disk, memory for %.0f %% of the entities: %.1f us an event and a question, "
        "%.2f keys read\n",
        100 * share, round_us, static_cast<double>(bench.reads() - reads) / kRounds);
    show("  a question", took);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Sizes sizes;
  if (argc > 1) sizes.entities = std::strtoull(argv[1], nullptr, 10);
  if (argc > 2) sizes.events = std::atoll(argv[2]);
  const double slice_s = (argc > 3 ? std::atof(argv[3]) : 25) * 1e-6;
  const bool only_disk = argc > 4;
  for (const bool sliced : {true, false}) {
    if (only_disk) break;
    serving::SnapshotPace pace;
    pace.in_background = sliced;
    if (sliced) pace.slice_s = slice_s;
    Bench bench(sizes, pace);
    std::vector<double> without, first, during;
    for (int i = 0; i < 100'000; ++i) without.push_back(bench.round(false));
    bench.snapshots_on("bench");
    const double began = cpu_us();
    if (sliced) {
      // The state is frozen as a whole; then rounds go on until all of it is written.
      need(bench.engine().begin_snapshot());
      const double froze = cpu_us() - began;
      while (bench.engine().snapshot_is_under_way()) first.push_back(bench.round(true));
      std::printf("to note all of the state for a first snapshot: %.0f us\n", froze);
    } else {
      need(bench.engine().snapshot_if_due(true));
      std::printf("a first snapshot in one piece: %.0f us\n", cpu_us() - began);
    }
    for (int snapshot = 0; snapshot < 3; ++snapshot) {
      for (std::uint64_t i = 0; i < kEventsPerSnapshot / 2; ++i) bench.round(false);
      need(bench.engine().begin_snapshot());
      do during.push_back(bench.round(true));
      while (bench.engine().snapshot_is_under_way());
      during.push_back(bench.round(false));  // which the last slice was in the way of
    }
    show(sliced ? "no snapshot" : "no snapshot (again)", without);
    if (sliced) show("all of the state, by slices", first);
    show(sliced ? "what changed, by slices" : "what changed, in one piece", during);
    for (const auto& file : std::filesystem::directory_iterator(bench.folder() + "/snapshots"))
      std::printf("  %s: %ju bytes\n", file.path().filename().c_str(),
                  static_cast<std::uintmax_t>(file.file_size()));
  }
  measure_on_disk(sizes, {.in_background = true, .slice_s = slice_s});
  return 0;
}
