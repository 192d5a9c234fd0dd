#include "serving/http_server.h"

#include <utility>

#include "serving/reactor.h"

namespace coeval::serving {

struct HttpServer::Parts {
  Reactor reactor;
};

HttpServer::HttpServer(Engine& engine, ServerOptions options)
    : parts_(new Parts{Reactor(engine, std::move(options))}) {}

HttpServer::~HttpServer() = default;

Status HttpServer::bind() { return parts_->reactor.bind(); }
std::uint16_t HttpServer::port() const { return parts_->reactor.port(); }
Status HttpServer::run() { return parts_->reactor.run(); }
void HttpServer::stop() { parts_->reactor.stop(); }
void HttpServer::post(std::function<void()> task) { parts_->reactor.post(std::move(task)); }

}  // namespace coeval::serving
