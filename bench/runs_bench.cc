// Lists of training runs as `coeval runs` asks for them: 100,000 runs of 50 metrics, 8 parameters,
// 4 ids and 5 facts of the environment each, made with a seed in a file of their own. Every query
// opens the file anew, as the command does; the system's cache is warm. What is printed is the
// median of the runs of each, and how many runs it matched. Exits 1 when an answer is not what a
// plain pass over the same numbers gives.
//   runs_bench [runs] [folder]        100,000 runs in a temporary folder unless told otherwise

#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "stores/run_store.h"
#include "stores/temporary_folder.h"

namespace {

using namespace coeval;

constexpr int kMetrics = 50;
constexpr int kRepeats = 15;
constexpr std::int64_t kFirst = 1'700'000'000'000'000;

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

template <class Value>
Value must(Result<Value> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", one_line(result.error()).c_str());
  std::exit(1);
}

struct Known {
  double auc = 0, log_loss = 0;
  int depth = 0;
  bool finished = false;
};

std::string hex(std::mt19937_64& random) {
  std::string text;
  for (int i = 0; i < 64; ++i) text += "0123456789abcdef"[random() % 16];
  return text;
}

stores::Run make_run(std::mt19937_64& random, int i, Known& known) {
  std::uniform_real_distribution<double> share;
  known = {.auc = 0.6 + 0.2 * share(random),
           .log_loss = 0.4 + 0.2 * share(random),
           .depth = 3 + static_cast<int>(random() % 8),
           .finished = random() % 20 != 0};
  stores::Run run;
  run.model = "model" + std::to_string(i % 5);
  run.experiment = "experiment" + std::to_string(i % 7);
  run.kind = i % 10 == 0 ? stores::RunKind::build : stores::RunKind::trial;
  run.state = known.finished ? stores::RunState::finished : stores::RunState::failed;
  run.started_us = kFirst + i * 1'000'000LL;
  run.ended_us = run.started_us + 900'000;
  run.version = i % 10 == 0 ? i / 10 + 1 : 0;
  run.dataset_s = share(random);
  run.train_s = share(random);
  run.params = {{"max_depth", std::to_string(known.depth)},
                {"eta", std::to_string(share(random)).substr(0, 4)},
                {"rounds", std::to_string(100 + random() % 900)},
                {"seed", "0"},
                {"trainer", "xgboost"},
                {"subsample", std::to_string(share(random)).substr(0, 4)},
                {"lambda", std::to_string(share(random)).substr(0, 4)},
                {"split.test_until", "2001-07-01T00:00:00Z"}};
  run.ids = {{"dataset_id", std::string(64, 'd')},
             {"ir_hash", std::string(64, 'h')},
             {"recipe_id", hex(random)},
             {"bits_id", hex(random)}};
  run.environment = {{"coeval", "coeval 0.1.0"},
                     {"trainer", "xgboost 3.4.1"},
                     {"threads", "2"},
                     {"cpu", "AMD EPYC"},
                     {"kernel", "Linux 6.1"}};
  run.metrics = {{"test.auc", known.auc}, {"test.log_loss", known.log_loss}};
  for (int metric = 2; metric < kMetrics; ++metric)
    run.metrics["metric." + std::to_string(metric)] = share(random);
  return run;
}

std::vector<Known> fill(const std::string& path, int count) {
  const auto store = must(stores::open_run_store(path));
  std::mt19937_64 random(7);
  std::vector<Known> known(static_cast<std::size_t>(count));
  std::vector<stores::Run> batch;
  for (int i = 0; i < count; ++i) {
    batch.push_back(make_run(random, i, known[static_cast<std::size_t>(i)]));
    if (batch.size() < 10'000 && i + 1 < count) continue;
    must(store->add(batch));
    batch.clear();
  }
  return known;
}

struct Question {
  const char* what;
  const char* filter;
  const char* sort;
  std::int64_t limit;
  std::function<bool(const Known&)> holds;
  double Known::* key;  // what it is sorted by; null: by age
};

bool is_right(const stores::RunPage& page, const Question& asked, const std::vector<Known>& known) {
  std::vector<std::size_t> places;
  for (std::size_t i = known.size(); i-- > 0;)
    if (asked.holds(known[i])) places.push_back(i);
  if (page.matched != static_cast<std::int64_t>(places.size())) return false;
  const bool least = asked.sort[0] == '-';
  if (asked.key != nullptr)
    std::ranges::stable_sort(places, [&](std::size_t a, std::size_t b) {
      const double left = known[a].*asked.key, right = known[b].*asked.key;
      return least ? left < right : left > right;
    });
  for (std::size_t i = 0; i < page.rows.size(); ++i)
    if (page.rows[i].started_us != kFirst + static_cast<std::int64_t>(places[i]) * 1'000'000)
      return false;
  return page.rows.size() == std::min(places.size(), static_cast<std::size_t>(asked.limit));
}

bool measure(const std::string& path, const Question& asked, const std::vector<Known>& known) {
  stores::RunQuery query;
  query.filter = must(stores::parse_run_filter(asked.filter));
  query.ascending = asked.sort[0] == '-';
  query.sort = asked.sort + (query.ascending ? 1 : 0);
  query.limit = asked.limit;
  query.columns = {"test.auc", "test.log_loss", "metric.7", "metric.20"};
  std::vector<double> wall, cpu;
  stores::RunPage page;
  for (int i = 0; i < kRepeats; ++i) {
    const double w = seconds_of(CLOCK_MONOTONIC), c = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    page = must(must(stores::open_run_store_for_reading(path))->query(query));
    wall.push_back(seconds_of(CLOCK_MONOTONIC) - w);
    cpu.push_back(seconds_of(CLOCK_PROCESS_CPUTIME_ID) - c);
  }
  std::ranges::sort(wall);
  std::ranges::sort(cpu);
  const bool right = is_right(page, asked, known);
  std::printf("%-52s %7.1f ms wall %7.1f ms CPU %8lld matched%s\n", asked.what,
              1e3 * wall[kRepeats / 2], 1e3 * cpu[kRepeats / 2],
              static_cast<long long>(page.matched), right ? "" : "  WRONG");
  return right;
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 100'000;
  const stores::TemporaryFolder temporary;
  const std::string path = (argc > 2 ? std::string(argv[2]) : temporary.path()) + "/runs.sqlite";
  const double started = seconds_of(CLOCK_MONOTONIC);
  const std::vector<Known> known = fill(path, count);
  std::printf("%d runs x %d metrics made in %.1f s, %.0f MB\n", count, kMetrics,
              seconds_of(CLOCK_MONOTONIC) - started,
              static_cast<double>(std::filesystem::file_size(path)) / 1e6);
  const auto every = [](const Known&) { return true; };
  const Question all[] = {
      {"the newest 20", "", "", 20, every, nullptr},
      {"the best 20 by a metric", "", "test.auc", 20, every, &Known::auc},
      {"metric, param and state; best 20 by a metric",
       "test.auc >= 0.77 and params.max_depth = 6 and state = 'finished'", "test.auc", 20,
       [](const Known& run) { return run.auc >= 0.77 && run.depth == 6 && run.finished; },
       &Known::auc},
      {"three metrics and a param, or; the least 20 by another",
       "test.auc > 0.7 and metric.7 >= 0 and metric.20 < 1 or params.max_depth > 8",
       "-test.log_loss", 20, [](const Known& run) { return run.auc > 0.7 || run.depth > 8; },
       &Known::log_loss},
      {"nearly none: 20 of one in ten thousand", "test.auc > 0.79998", "", 20,
       [](const Known& run) { return run.auc > 0.79998; }, nullptr},
      {"all 100,000 with four metrics, by a metric", "", "test.auc", count, every, &Known::auc},
  };
  bool right = true;
  for (const Question& question : all) right = measure(path, question, known) && right;
  return right ? 0 : 1;
}
