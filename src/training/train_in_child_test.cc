#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>

#include "training/shared_memory.h"
#include "training/trainer.h"

namespace coeval::training {
namespace {

const std::string kWorker = COEVAL_BINARY_DIR "/bin/coeval_training_worker";

/// A folder that goes away with the test.
class Folder {
 public:
  Folder() {
    std::string path = std::filesystem::temp_directory_path() / "coeval-training-XXXXXX";
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    path_ = path;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path() const { return path_ + "/job"; }
  bool is_clean() const {
    return !std::filesystem::exists(path()) || std::filesystem::is_empty(path());
  }

 private:
  std::string path_;
};

const std::vector<float> kValues = {1, 2, 3, 4, 5, std::numeric_limits<float>::quiet_NaN()};
const std::vector<std::uint8_t> kLabels = {1, 0, 1};

TrainingTable table() {
  return {.rows = 3,
          .train_rows = 2,
          .width = 2,
          .names = {"distance", "origin"},
          .categorical = {false, true},
          .values = kValues.data(),
          .labels = kLabels.data()};
}

TrainingPlan plan() {
  return {.params = {{"eta", "0.1"}, {"max_depth", "6"}},
          .rounds = 3,
          .early_stopping_rounds = 2,
          .seed = std::numeric_limits<std::uint64_t>::max(),
          .threads = 2};
}

Result<TrainedModel> train(const Folder& folder, const std::string& mode, ChildLimits limits = {},
                           void (*progress)(int, int) = nullptr) {
  return train_in_child(kWorker, folder.path(), mode, table(), plan(), limits, progress);
}

/// The error of a training run that must fail, and must leave no files behind.
Error failure(const std::string& mode, ChildLimits limits = {}) {
  const Folder folder;
  const auto model = train(folder, mode, limits);
  REQUIRE_FALSE(model.has_value());
  CHECK(folder.is_clean());
  return model.error();
}

int& rounds_seen() {
  static int seen = 0;
  return seen;
}

void count_rounds(int round, int rounds) {
  CHECK(rounds == 3);
  CHECK(round == rounds_seen() + 1);
  rounds_seen() = round;
}

bool says(const Error& error, std::string_view text) {
  return error.message.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("the labels of a regression reach a child as the doubles that they are, with the loss") {
  const Folder folder;
  const std::vector<double> numbers = {0.5, -7.25, 1e300};
  TrainingTable numbered = table();
  numbered.labels = nullptr;
  numbered.numbers = numbers.data();
  TrainingPlan wanted = plan();
  wanted.objective = {.kind = Objective::Kind::quantile, .quantile = 0.75};
  const auto model = train_in_child(kWorker, folder.path(), "ok", numbered, wanted, {}, nullptr);
  REQUIRE_MESSAGE(model.has_value(), (model ? "" : one_line(model.error())));
  float mean = 0;
  std::memcpy(&mean, model->bytes.data(), sizeof mean);
  CHECK(mean == -3.375F);
  CHECK(model->engine.find("quantile 0.75") != std::string::npos);
}

TEST_CASE("a child trains on the parent's table and plan and its model comes back") {
  const Folder folder;
  rounds_seen() = 0;
  const auto model = train(folder, "ok", {}, count_rounds);
  REQUIRE(model.has_value());
  float mean = 0;
  REQUIRE(model->bytes.size() == sizeof mean);
  std::memcpy(&mean, model->bytes.data(), sizeof mean);
  CHECK(mean == 0.5F);
  CHECK(model->rounds_used == 3);
  CHECK(model->validation_curve == std::vector<double>{1.0, 1.0 / 2, 1.0 / 3});
  CHECK(model->engine ==
        "seed 18446744073709551615 threads 2 stopping 2 distance:q origin:c eta=0.1 max_depth=6 "
        "last missing");
  CHECK(rounds_seen() == 3);
  CHECK(folder.is_clean());
}

TEST_CASE("a child scores rows and every bit comes back") {
  const Folder folder;
  const float mean = 0.25F;
  const std::string bytes(reinterpret_cast<const char*>(&mean), sizeof mean);
  const auto scores =
      predict_in_child(kWorker, folder.path(), "ok", bytes, kValues.data(), 3, 2, 1);
  REQUIRE(scores.has_value());
  CHECK(scores->margins == std::vector<float>{1.25F, 3.25F, 5.25F});
  CHECK(scores->scores == std::vector<float>{2.5F, 6.5F, 10.5F});
  CHECK(folder.is_clean());
}

TEST_CASE("rows that lie in shared memory are given as they are, from where the table begins") {
  const Folder folder;
  auto memory = SharedFloats::create("test rows", 7);
  REQUIRE(memory.has_value());
  std::ranges::copy(kValues, memory->data() + 1);
  TrainingTable shared = table();
  shared.values = memory->data() + 1;
  shared.memory = &memory->memory();
  const auto model = train_in_child(kWorker, folder.path(), "ok", shared, plan(), {}, nullptr);
  REQUIRE(model.has_value());
  CHECK(model->engine.ends_with("max_depth=6 last missing"));
  const float mean = 0.25F;
  const std::string bytes(reinterpret_cast<const char*>(&mean), sizeof mean);
  const auto scores = predict_in_child(kWorker, folder.path(), "ok", bytes, memory->data() + 3, 2,
                                       2, 1, {}, &memory->memory());
  REQUIRE(scores.has_value());
  CHECK(scores->margins == std::vector<float>{3.25F, 5.25F});
  // Who made it can still write to it: the next table may lie there.
  memory->data()[1] = 9;
  CHECK((*memory)[1] == 9);
}

TEST_CASE("a child cannot change what it is given") {
  CHECK(says(failure("write"), "its last words: mapped 0 written 0 cut 0"));
}

TEST_CASE("no rows give no scores") {
  const Folder folder;
  const auto scores = predict_in_child(kWorker, folder.path(), "ok", "1234", nullptr, 0, 2, 1);
  REQUIRE(scores.has_value());
  CHECK(scores->margins.empty());
}

TEST_CASE("a trainer's own error arrives with its message and advice") {
  const Error error = failure("error");
  CHECK(error.code == Code::training_failed);
  CHECK(error.message == "max_depth must be positive, is -3");
  CHECK(error.advice == "set max_depth");
}

TEST_CASE("an exception of the trainer becomes an error") {
  CHECK(failure("throw").message == "the trainer ran out of memory");
}

TEST_CASE("a crash is told with its signal and the last words") {
  const Error error = failure("crash");
  CHECK(error.code == Code::training_failed);
  CHECK(error.message ==
        "trainer 'crash' was killed by SIGSEGV; its last words: first line | about to crash");
}

TEST_CASE("an exit code is told with the last words") {
  const Error error = failure("exit 1");
  CHECK(error.message == "trainer 'exit 1' ended with exit code 1; its last words: cannot go on");
}

TEST_CASE("a child that hangs is killed when its time is over") {
  const Error error = failure("hang", {.time_budget_s = 0.2, .memory_limit_bytes = 0});
  CHECK(error.code == Code::training_failed);
  CHECK(says(error, "did not finish in 0.2 s"));
}

TEST_CASE("an answer that is not one is refused") {
  CHECK(says(failure("garbage"), "its answer is unusable"));
  CHECK(says(failure("silent"), "its answer is unusable"));
  CHECK(says(failure("wrong hash"), "do not have the hash"));
  CHECK(failure("garbage").code == Code::training_failed);
}

TEST_CASE("scores for another number of rows are refused") {
  const Folder folder;
  const auto scores =
      predict_in_child(kWorker, folder.path(), "short scores", "m", kValues.data(), 3, 2, 1);
  REQUIRE_FALSE(scores.has_value());
  CHECK(scores.error().code == Code::training_failed);
  CHECK(says(scores.error(), "scores for 1 rows of 3"));
}

TEST_CASE("a program that cannot be started is named") {
  const Folder folder;
  const auto model =
      train_in_child("/nowhere/coeval", folder.path(), "ok", table(), plan(), {}, nullptr);
  REQUIRE_FALSE(model.has_value());
  CHECK(says(model.error(), "cannot start /nowhere/coeval: No such file or directory"));
}

TEST_CASE("the child waits passively and inherits no descriptor but the table's") {
  const int lock = ::open("/dev/null", O_RDONLY);
  REQUIRE(lock >= 0);
  ::unsetenv("OMP_WAIT_POLICY");
  const Error error = failure("environment");
  ::close(lock);
  CHECK(error.code == Code::missing_component);
  CHECK(error.message == "policy PASSIVE, table given, no others");
  CHECK(error.advice == "./dev setup");
}

// The middle process kills itself as soon as its child has spoken. The child then becomes ours, and
// its end can be waited for: by the signal of its parent's death, long before its own alarm.
TEST_CASE("a child dies with its parent") {
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  const Folder folder;
  const pid_t middle = ::fork();
  REQUIRE(middle >= 0);
  if (middle == 0) {
    static_cast<void>(train(folder, "hang", {}, [](int, int) { ::kill(::getpid(), SIGKILL); }));
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(middle, &status, 0) == middle);
  REQUIRE(WTERMSIG(status) == SIGKILL);
  REQUIRE(::waitpid(-1, &status, 0) > 0);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

// The sanitizers reserve terabytes of address space, which no limit of this kind allows.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("a child that takes more memory than it may fails alone") {
  const Error error =
      failure("memory", {.time_budget_s = 60, .memory_limit_bytes = std::uint64_t{512} << 20});
  CHECK(error.code == Code::training_failed);
  CHECK(says(error, "no memory for a gigabyte"));
  CHECK(error.advice.find("memory") != std::string::npos);
}
#endif

TEST_CASE("a folder that cannot be made is an error of its own") {
  const auto model =
      train_in_child(kWorker, "/proc/no/such/folder", "ok", table(), plan(), {}, nullptr);
  REQUIRE_FALSE(model.has_value());
  CHECK(model.error().code != Code::training_failed);
}

}  // namespace coeval::training
