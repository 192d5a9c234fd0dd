// A worker whose "trainers" behave and misbehave on demand: the trainer's name in the plan says
// how.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <new>
#include <string>
#include <vector>

#include "training/trainer.h"

namespace coeval::training {
namespace {

/// "Learns" the mean label; its margin is the row's first value plus that mean.
class MeanTrainer final : public Trainer {
 public:
  Result<TrainedModel> train(const TrainingTable& table, const TrainingPlan& plan,
                             void (*progress)(int, int)) override {
    float sum = 0;
    for (std::int64_t row = 0; row < table.train_rows; ++row)
      sum += table.numbers != nullptr ? static_cast<float>(table.numbers[row])
                                      : static_cast<float>(table.labels[row]);
    TrainedModel model;
    for (int round = 1; round <= plan.rounds; ++round) {
      progress(round, plan.rounds);
      model.validation_curve.push_back(1.0 / round);
    }
    const float mean = sum / static_cast<float>(table.train_rows);
    model.bytes.assign(reinterpret_cast<const char*>(&mean), sizeof mean);
    model.rounds_used = plan.rounds;
    model.engine = describe(table, plan);
    return model;
  }

  Result<std::vector<float>> predict_margins(const std::string& model_bytes, const float* rows,
                                             std::int64_t count, std::size_t width) override {
    float mean = 0;
    std::memcpy(&mean, model_bytes.data(), sizeof mean);
    std::vector<float> margins;
    for (std::int64_t row = 0; row < count; ++row) {
      margins.push_back(rows[static_cast<std::size_t>(row) * width] + mean);
    }
    return margins;
  }

  Result<std::vector<float>> predict(const std::string& model_bytes, const float* rows,
                                     std::int64_t count, std::size_t width) override {
    COEVAL_ASSIGN(auto scores, predict_margins(model_bytes, rows, count, width));
    for (float& score : scores) score = score * 2;
    return scores;
  }

 private:
  /// All that came through the plan, so that the parent's test can compare it.
  static std::string describe(const TrainingTable& table, const TrainingPlan& plan) {
    std::string text = "seed " + std::to_string(plan.seed) + " threads " +
                       std::to_string(plan.threads) + " stopping " +
                       std::to_string(plan.early_stopping_rounds);
    for (std::size_t i = 0; i < table.width; ++i) {
      text += " " + table.names[i] + (table.categorical[i] ? ":c" : ":q");
    }
    for (const auto& [key, value] : plan.params) text += " " + key + "=" + value;
    if (plan.objective.is_regression())
      text += " quantile " + std::to_string(plan.objective.quantile);
    const float last = table.values[static_cast<std::size_t>(table.rows) * table.width - 1];
    return text + (std::isnan(last) ? " last missing" : " last " + std::to_string(last));
  }
};

class FailingTrainer final : public Trainer {
 public:
  explicit FailingTrainer(bool throws) : throws_(throws) {}
  Result<TrainedModel> train(const TrainingTable&, const TrainingPlan&,
                             void (*)(int, int)) override {
    if (throws_) throw std::bad_alloc();
    return fail(Code::training_failed, "max_depth must be positive, is -3", "set max_depth");
  }
  Result<std::vector<float>> predict_margins(const std::string&, const float*, std::int64_t,
                                             std::size_t) override {
    return fail(Code::unsupported, "no predictions");
  }
  Result<std::vector<float>> predict(const std::string&, const float*, std::int64_t,
                                     std::size_t) override {
    return fail(Code::unsupported, "no predictions");
  }

 private:
  bool throws_;
};

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

int train_well(const std::string& folder) {
  MeanTrainer trainer;
  return run_worker(folder, trainer);
}

[[noreturn]] void crash() {
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  std::fputs("first line\nabout to crash\n", stderr);
  std::signal(SIGSEGV, SIG_DFL);  // Sanitizers would turn it into an exit code.
  std::raise(SIGSEGV);
  std::abort();
}

/// For ever, as far as any test is concerned: one that waits for its end fails after half a minute.
[[noreturn]] void hang() {
  ::alarm(30);
  std::puts("progress 0 1");
  std::fflush(stdout);
  while (true) ::pause();
}

/// Takes a gigabyte, which the parent's limit forbids.
int take_memory() {
  const std::size_t bytes = std::size_t{1} << 30;
  void* block = std::malloc(bytes);
  if (block == nullptr) {
    std::fputs("no memory for a gigabyte\n", stderr);
    return 1;
  }
  std::memset(block, 1, bytes);
  const bool taken = static_cast<const char*>(block)[bytes - 1] == 1;
  std::free(block);
  return taken ? 0 : 2;
}

int answer(const std::string& folder, const std::string& json, const std::string& model) {
  write_file(folder + "/trained.bin", model);
  write_file(folder + "/answer.json", json);
  return 0;
}

/// "environment": an error that says what the child sees of its surroundings.
int tell_environment(const std::string& folder) {
  const char* policy = std::getenv("OMP_WAIT_POLICY");
  const bool given = ::fcntl(3, F_GETFD) != -1 && ::fcntl(4, F_GETFD) != -1;
  bool leaked = false;
  for (int fd = 5; fd < 64; ++fd) leaked = leaked || ::fcntl(fd, F_GETFD) != -1;
  return report_worker_error(folder, {Code::missing_component,
                                      std::string("policy ") + (policy ? policy : "unset") +
                                          (given ? ", table given" : ", no table") +
                                          (leaked ? ", descriptors leaked" : ", no others"),
                                      "./dev setup",
                                      {},
                                      {}});
}

/// Tries to change the rows that it was given, by every way that there is.
int write_to_table() {
  const bool mapped = ::mmap(nullptr, 4, PROT_READ | PROT_WRITE, MAP_SHARED, 3, 0) != MAP_FAILED;
  const bool written = ::pwrite(3, "1234", 4, 0) == 4;
  const bool cut = ::ftruncate(3, 0) == 0;
  std::fprintf(stderr, "mapped %d written %d cut %d\n", mapped, written, cut);
  return 1;
}

int behave(const std::string& mode, const std::string& folder) {
  if (mode == "crash") crash();
  if (mode == "hang") hang();
  if (mode == "exit 1") return std::fputs("cannot go on\n", stderr), 1;
  if (mode == "silent") return 0;
  if (mode == "memory") return take_memory();
  if (mode == "garbage") return answer(folder, "\x01\x02 not JSON", "x");
  if (mode == "wrong hash") {
    return answer(folder,
                  R"({"rounds_used":1,"engine":"e","validation_curve":[],"notes":[],"sha256":"0"})",
                  "x");
  }
  if (mode == "short scores") {
    return answer(folder, R"({"rows":1})", "");
  }
  if (mode == "environment") return tell_environment(folder);
  if (mode == "write") return write_to_table();
  if (mode == "error" || mode == "throw") {
    FailingTrainer trainer(mode == "throw");
    return run_worker(folder, trainer);
  }
  return train_well(folder);
}

}  // namespace
}  // namespace coeval::training

int main(int argc, char** argv) {
  if (argc != 3 || std::strcmp(argv[1], "train-worker") != 0) return 2;
  const auto mode = coeval::training::worker_trainer(argv[2]);
  return mode ? coeval::training::behave(*mode, argv[2]) : 2;
}
