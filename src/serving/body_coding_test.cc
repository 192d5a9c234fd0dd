#include "serving/body_coding.h"

#include <doctest/doctest.h>
#include <zlib.h>
#include <zstd.h>

#include <string>

namespace coeval::serving {
namespace {

constexpr std::size_t kLimit = 1u << 20;

std::string gzip(const std::string& text) {
  z_stream stream{};
  REQUIRE(::deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(::deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

std::string zstd(const std::string& text, int window_log = 0) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  if (window_log > 0) ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, window_log > 0 ? 0 : 1);
  std::string out(ZSTD_compressBound(text.size()) + 64, '\0');
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  // First without the end: the frame must not know its size, and so ask for its whole window.
  REQUIRE_FALSE(ZSTD_isError(ZSTD_compressStream2(context, &to, &in, ZSTD_e_flush)));
  while (ZSTD_compressStream2(context, &to, &in, ZSTD_e_end) != 0) {
  }
  out.resize(to.pos);
  ZSTD_freeCCtx(context);
  return out;
}

Code refused(std::string_view coding, std::string body, std::size_t limit = kLimit) {
  const std::string before = body;
  const Status decoded = decode_body(coding, limit, body);
  REQUIRE_FALSE(decoded);
  CHECK(body == before);
  return decoded.error().code;
}

TEST_CASE("gzip and zstd are decoded, also of several parts, and names in any case") {
  const std::string text = "[{\"a\":1}]";
  for (const auto& [coding, bytes] : {std::pair{"gzip", gzip(text)},
                                      {"x-gzip", gzip(text)},
                                      {"GZip", gzip(text)},
                                      {"zstd", zstd(text)},
                                      {"ZSTD", zstd(text)},
                                      {"identity", text},
                                      {"", text},
                                      {"gzip", gzip("[{\"a\"") + gzip(":1}]")},
                                      {"zstd", zstd("[{\"a\"") + zstd(":1}]")}}) {
    INFO(coding);
    std::string body = bytes;
    REQUIRE(decode_body(coding, kLimit, body));
    CHECK(body == text);
  }
  std::string empty;
  CHECK(decode_body("br", kLimit, empty));  // nothing to decode
}

TEST_CASE("a body may decode to the limit, and a byte more is refused, however small it came") {
  const std::string bomb(50u << 20, '0');
  for (const char* coding : {"gzip", "zstd"}) {
    INFO(coding);
    const bool is_gzip = std::string(coding) == "gzip";
    const std::string small = is_gzip ? gzip(bomb) : zstd(bomb);
    CHECK(small.size() < 60'000);
    CHECK(refused(coding, small) == Code::body_too_large);
    for (const std::size_t size : {kLimit, kLimit + 1}) {
      const std::string text(size, 'x');
      std::string body = is_gzip ? gzip(text) : zstd(text);
      const Status decoded = decode_body(coding, kLimit, body);
      CHECK(decoded.has_value() == (size == kLimit));
      if (decoded) CHECK(body == text);
    }
  }
}

TEST_CASE("other codings, damage, a missing end and bytes behind it are refused") {
  CHECK(refused("br", "x") == Code::unsupported_encoding);
  CHECK(refused("gzip, zstd", "x") == Code::unsupported_encoding);
  CHECK(refused("gzip", "not gzip") == Code::bad_request);
  CHECK(refused("zstd", "not zstd") == Code::bad_request);
  const std::string text = "{\"origin\":\"ATL\",\"distance\":1200}";
  const std::string packed[] = {gzip(text), zstd(text)};
  for (const std::string& bytes : packed) {
    const std::string coding = &bytes == packed ? "gzip" : "zstd";
    for (std::size_t size = 1; size < bytes.size(); ++size)
      CHECK(refused(coding, bytes.substr(0, size)) == Code::bad_request);
    CHECK(refused(coding, bytes + "tail") == Code::bad_request);
  }
}

TEST_CASE("a zstd frame that asks for a window of more than 8 MiB is refused") {
  const std::string text(1000, 'x');
  std::string fits = zstd(text, 23);
  REQUIRE(decode_body("zstd", kLimit, fits));
  CHECK(fits == text);
  CHECK(refused("zstd", zstd(text, 24)) == Code::bad_request);
}

}  // namespace
}  // namespace coeval::serving
