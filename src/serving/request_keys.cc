#include "serving/request_keys.h"

#include <string>

#include "data/row_codec.h"
#include "stores/request_record.h"

namespace coeval::serving {
namespace {

bool has_expired(std::int64_t known_us, std::int64_t now_us) {
  std::int64_t until_us = 0;
  return !__builtin_add_overflow(known_us, RequestKeys::kKeptUs, &until_us) && until_us < now_us;
}

}  // namespace

std::optional<RequestKeys::Known> RequestKeys::find(data::Hash128 key, std::int64_t now_us) const {
  const auto found = known_.find(key);
  if (found == known_.end() || has_expired(found->second.known_us, now_us)) return std::nullopt;
  return found->second;
}

void RequestKeys::add(data::Hash128 key, const Known& known) {
  known_.insert_or_assign(key, known);
  order_.push_back({key, known.position});
  forget(known.known_us);
}

void RequestKeys::add(const stores::Record& record) {
  const auto request = stores::decode_request(record.payload);
  if (request) add(request->key, {request->body, record.position, record.known.us});
}

// A key that was used again has a newer entry, which is not the one to be forgotten.
void RequestKeys::forget(std::int64_t now_us) {
  while (!order_.empty()) {
    const Added& oldest = order_.front();
    const auto found = known_.find(oldest.key);
    const bool is_this = found != known_.end() && found->second.position == oldest.position;
    if (is_this && known_.size() <= most_ && !has_expired(found->second.known_us, now_us)) return;
    if (is_this) known_.erase(found);
    order_.pop_front();
  }
}

data::Hash128 RequestKeys::key_hash(std::string_view source, std::string_view key) {
  std::string text;
  data::put_text(text, source);
  text += key;
  return data::xxh3_128(text);
}

data::Hash128 RequestKeys::body_hash(std::string_view body, std::optional<std::int64_t> now_us) {
  const data::Hash128 alone = data::xxh3_128(body);
  if (!now_us) return alone;
  std::string both;
  data::put_u64(both, alone.low);
  data::put_u64(both, alone.high);
  data::put_u64(both, static_cast<std::uint64_t>(*now_us));
  return data::xxh3_128(both);
}

}  // namespace coeval::serving
