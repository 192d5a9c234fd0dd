#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace coeval {

/// A fixed number of threads that run the parts of one job at a time.
///
/// Threading: run() is called from one thread, which works too, so a pool of n starts n − 1
/// threads.
class WorkerPool {
 public:
  explicit WorkerPool(int threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Calls part(0) … part(parts − 1), each once, on any of the threads; returns when all are done.
  /// Parts are handed out in order, so put the longest first.
  void run(std::size_t parts, const std::function<void(std::size_t)>& part);

 private:
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

/// pool->run(), or without a pool the same on this thread.
void run_parts(WorkerPool* pool, std::size_t parts, const std::function<void(std::size_t)>& part);

}  // namespace coeval
