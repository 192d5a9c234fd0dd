#include "base/worker_pool.h"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"

namespace coeval {
namespace {

TEST_CASE("every part of a job runs exactly once on any number of threads") {
  for (const int threads : {1, 2, 5}) {
    WorkerPool pool(threads);
    for (const std::size_t parts : {std::size_t{0}, std::size_t{1}, std::size_t{97}}) {
      std::vector<std::atomic<int>> seen(parts);
      pool.run(parts, [&](std::size_t part) { ++seen[part]; });
      for (const auto& count : seen) CHECK(count == 1);
    }
  }
}

TEST_CASE("parts run once each without a pool too, in order") {
  std::vector<std::size_t> seen;
  run_parts(nullptr, 3, [&](std::size_t part) { seen.push_back(part); });
  CHECK(seen == std::vector<std::size_t>{0, 1, 2});
  WorkerPool pool(2);
  std::array<std::atomic<int>, 50> counts{};
  run_parts(&pool, counts.size(), [&](std::size_t part) { ++counts[part]; });
  for (const auto& count : counts) CHECK(count == 1);
}

TEST_CASE("a bounded queue hands items over in order and ends when closed") {
  BoundedQueue<int> queue(2);
  std::vector<int> got;
  std::thread reader([&] {
    while (auto item = queue.pop()) got.push_back(*item);
  });
  for (int i = 0; i < 100; ++i) REQUIRE(queue.push(i));
  queue.close();
  reader.join();
  REQUIRE(got.size() == 100);
  for (int i = 0; i < 100; ++i) CHECK(got[static_cast<std::size_t>(i)] == i);
  CHECK_FALSE(queue.push(1));
}

}  // namespace
}  // namespace coeval
