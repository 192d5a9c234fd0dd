#include "base/worker_pool.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace coeval {

struct WorkerPool::Shared {
  std::mutex mutex;
  std::condition_variable work, idle;
  const std::function<void(std::size_t)>* part = nullptr;
  std::size_t next = 0, parts = 0, running = 0;
  bool stopping = false;
  std::vector<std::thread> threads;

  // Takes parts until none is left. The lock is held at entry and exit.
  void drain(std::unique_lock<std::mutex>& lock) {
    while (next < parts) {
      const std::size_t mine = next++;
      const auto* job = part;
      ++running;
      lock.unlock();
      (*job)(mine);
      lock.lock();
      --running;
    }
    if (running == 0) idle.notify_all();
  }

  void serve() {
    std::unique_lock lock(mutex);
    while (true) {
      work.wait(lock, [this] { return stopping || next < parts; });
      if (stopping) return;
      drain(lock);
    }
  }
};

WorkerPool::WorkerPool(int threads) : shared_(std::make_unique<Shared>()) {
  for (int i = 1; i < threads; ++i) shared_->threads.emplace_back([this] { shared_->serve(); });
}

WorkerPool::~WorkerPool() {
  {
    const std::scoped_lock lock(shared_->mutex);
    shared_->stopping = true;
  }
  shared_->work.notify_all();
  for (auto& thread : shared_->threads) thread.join();
}

void WorkerPool::run(std::size_t parts, const std::function<void(std::size_t)>& part) {
  std::unique_lock lock(shared_->mutex);
  shared_->part = &part;
  shared_->next = 0;
  shared_->parts = parts;
  shared_->work.notify_all();
  shared_->drain(lock);
  shared_->idle.wait(lock, [this] { return shared_->running == 0; });
  shared_->parts = 0;
}

void run_parts(WorkerPool* pool, std::size_t parts, const std::function<void(std::size_t)>& part) {
  if (pool != nullptr) return pool->run(parts, part);
  for (std::size_t i = 0; i < parts; ++i) part(i);
}

}  // namespace coeval
