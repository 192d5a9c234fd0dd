// What a state outside memory costs: units of about 300 bytes, written in batches as a check-point
// does and read one at a time as a question about an absent entity would, in the plain store in
// memory and in RocksDB with a cache of a tenth of the state. CPU time of the process, RocksDB's
// own threads included, so that other programs on the machine do not disturb it.
//
//   state_store_bench [units] [folder]

#include <dlfcn.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "stores/state_store.h"

namespace {

using namespace coeval;

constexpr std::size_t kUnitBytes = 300, kBatch = 20'000;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "state_store_bench: %s\n", why.c_str());
  std::exit(1);
}

double cpu_us() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

std::string key_of(std::uint64_t number) { return "card" + std::to_string(number * 7919); }

// Half of it noise, as packed records are.
std::string bytes_of(std::mt19937_64& random) {
  std::string bytes(kUnitBytes, 'x');
  for (std::size_t i = 0; i < kUnitBytes / 2; ++i) bytes[i] = static_cast<char>(random());
  return bytes;
}

void measure(const char* name, stores::StateStore& store, std::uint64_t units) {
  std::mt19937_64 random(1);
  std::uint64_t position = 0;
  const auto write = [&](const std::vector<std::uint64_t>& numbers) {
    std::vector<std::string> keys, bytes;
    for (const std::uint64_t number : numbers) {
      keys.push_back(key_of(number));
      bytes.push_back(bytes_of(random));
    }
    std::vector<stores::StateUnit> batch;
    for (std::size_t i = 0; i < keys.size(); ++i) batch.push_back({0, keys[i], bytes[i]});
    const double began = cpu_us();
    if (auto written = store.write(batch, Position{++position}); !written)
      give_up(one_line(written.error()));
    return cpu_us() - began;
  };
  double filled = 0, rewritten = 0;
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t number = 0; number < units; ++number) {
    numbers.push_back(number);
    if (numbers.size() < kBatch) continue;
    filled += write(numbers);
    numbers.clear();
  }
  std::uint64_t again = 0;
  for (int batch = 0; batch < 10; ++batch) {
    numbers.clear();
    for (std::size_t i = 0; i < kBatch; ++i) numbers.push_back(random() % units);
    rewritten += write(numbers);
    again += kBatch;
  }
  const std::uint64_t reads = 100'000;
  std::uint64_t found = 0;
  double began = cpu_us();
  for (std::uint64_t i = 0; i < reads; ++i) {
    const std::string key = key_of(random() % units);
    const stores::UnitKey keys[] = {{0, key}};
    const auto bytes = store.read(keys);
    if (!bytes) give_up(one_line(bytes.error()));
    found += (*bytes)[0] ? 1 : 0;
  }
  const double read = cpu_us() - began;
  began = cpu_us();
  for (std::uint64_t i = 0; i < reads; ++i) {
    const std::string key = "nobody" + std::to_string(i);
    const stores::UnitKey keys[] = {{0, key}};
    if (!store.read(keys)) give_up("read");
  }
  const double absent = cpu_us() - began;
  std::printf(
      "%-8s fill %5.2f  rewrite %5.2f  read %5.2f  read of no such unit %5.2f us of CPU each; "
      "%ju of %ju found; %.0f MB\n",
      name, filled / static_cast<double>(units), rewritten / static_cast<double>(again),
      read / static_cast<double>(reads), absent / static_cast<double>(reads),
      static_cast<std::uintmax_t>(found), static_cast<std::uintmax_t>(reads),
      static_cast<double>(store.size_bytes().value_or(0)) / 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t units = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  std::string folder =
      argc > 2 ? argv[2] : (std::filesystem::temp_directory_path() / "state-bench-XXXXXX").string();
  if (argc <= 2 && ::mkdtemp(folder.data()) == nullptr) give_up("no temporary folder");
  const auto memory = stores::make_memory_state();
  measure("memory", *memory, units);
  void* module = dlopen(COEVAL_BINARY_DIR "/lib/coeval_rocksdb.so", RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) give_up(dlerror());
  using Make = int (*)(stores::StateStores**);
  const auto make = reinterpret_cast<Make>(dlsym(module, "coeval_state_stores_v1"));
  stores::StateStores* states = nullptr;
  if (make == nullptr || make(&states) != 0) give_up("no stores in the module");
  {
    auto store = states->open(folder + "/state", {.cache_bytes = units * kUnitBytes / 10});
    if (!store) give_up(one_line(store.error()));
    measure("RocksDB", **store, units);
  }
  delete states;
  std::filesystem::remove_all(folder);
  return 0;
}
