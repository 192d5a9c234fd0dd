// What must hold for every multiset of rows: shards in any order, and bytes that are read back.
// (semantics: A1 A2 A5)

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "data/packed_list.h"
#include "quality/profile.h"
#include "stores/temporary_folder.h"

namespace coeval::quality {
namespace {

using data::Column;
using data::ColumnBuilder;
using data::Type;

/// How values of a table are drawn: how many distinct ones there are at most, and how far apart.
struct Shape {
  std::int64_t distinct;
  int spread;
};
constexpr Shape kShapes[] = {{3, 0},      {900, 10},     {4096, 20},     {4097, 20},
                             {6000, 200}, {50'000, 900}, {1LL << 60, 30}};

double any_real(std::mt19937_64& random, Shape shape) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  switch (random() % 60) {
    case 0:
      return std::nan("");
    case 1:
      return kInfinity;
    case 2:
      return -kInfinity;
    case 3:
      return -0.0;
    case 4:
      return 0x1p-1074 * static_cast<double>(random() % 5);
    default: {
      const auto number =
          static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(shape.distinct));
      std::mt19937_64 of_number(static_cast<std::uint64_t>(number));
      const int exponent =
          shape.spread == 0
              ? 0
              : static_cast<int>(of_number() % static_cast<std::uint64_t>(2 * shape.spread)) -
                    shape.spread;
      const double fraction = static_cast<double>(of_number() >> 11) * 0x1p-53;
      return std::ldexp(of_number() % 2 == 0 ? fraction : -fraction, exponent);
    }
  }
}

std::int64_t any_integer(std::mt19937_64& random, Shape shape) {
  const auto number = random() % static_cast<std::uint64_t>(shape.distinct);
  if (shape.spread < 25) return static_cast<std::int64_t>(number) - 1000;
  return static_cast<std::int64_t>(std::mt19937_64(number)());  // the whole range
}

std::string any_text(std::mt19937_64& random, Shape shape) {
  std::mt19937_64 of_number(random() % static_cast<std::uint64_t>(shape.distinct));
  static constexpr std::string_view kParts[] = {"a", "B",  "7", " ",  "-",
                                                "é", "\t", "€", "Zz", "00"};
  std::string text;
  for (std::uint64_t i = of_number() % 20; i > 0; --i) text += kParts[of_number() % 10];
  if (of_number() % 50 == 0) text += std::string(200, 'x') + std::to_string(of_number() % 5);
  return text;
}

data::Schema schema() {
  return {{{"real", Type::float64, true},
           {"short", Type::float32, true},
           {"integer", Type::int64, true},
           {"small", Type::int32, true},
           {"amount", data::decimal_type(12, 2), true},
           {"at", Type::timestamp, true},
           {"day", Type::date, true},
           {"flag", Type::boolean, true},
           {"name", Type::string, true},
           {"list", data::list_of(Type::float32), true},
           {"words", data::list_of(Type::string), true}}};
}

void append_any(ColumnBuilder& builder, std::mt19937_64& random, Shape shape) {
  const Type type = builder.type();
  if (random() % 12 == 0) return builder.append_null();
  if (data::is_list(type)) {
    std::string bytes;
    for (std::uint64_t i = random() % 4; i > 0; --i) {
      if (data::element_of(type) == Type::string)
        data::append_element(bytes, Type::string, any_text(random, shape));
      else
        data::append_element(bytes, Type::float32, any_real(random, {shape.distinct, 10}));
    }
    return builder.append_string(bytes);
  }
  if (type == Type::string) return builder.append_string(any_text(random, shape));
  if (type == Type::boolean) return builder.append_boolean(random() % 3 == 0);
  if (type == Type::float32) return builder.append_real(any_real(random, {shape.distinct, 60}));
  if (type == Type::float64) return builder.append_real(any_real(random, shape));
  const std::int64_t value = any_integer(random, shape);
  if (data::width(type) == 4) return builder.append_integer(static_cast<std::int32_t>(value));
  builder.append_integer(data::is_decimal(type) ? value % 1'000'000'000'000 : value);
}

data::Batch table(std::int64_t rows, std::mt19937_64& random, Shape shape) {
  data::Batch batch{schema(), {}, rows};
  for (const data::Field& field : batch.schema.fields) {
    ColumnBuilder builder(field.type);
    for (std::int64_t row = 0; row < rows; ++row) append_any(builder, random, shape);
    batch.columns.push_back(builder.finish());
  }
  return batch;
}

Profile profile_of(const data::Batch& batch) {
  Profile profile(batch.schema);
  REQUIRE(profile.add(batch).has_value());
  return profile;
}

}  // namespace

TEST_CASE("seven random shards merged in random order equal one pass byte for byte") {
  std::mt19937_64 random(7);
  for (const Shape shape : kShapes) {
    for (const std::int64_t rows : {std::int64_t{40}, std::int64_t{12'000}}) {
      CAPTURE(shape.distinct);
      const data::Batch batch = table(rows, random, shape);
      const std::string whole = profile_of(batch).bytes();
      // Rows to shards of very different sizes, in an order of their own; some shards stay empty.
      std::vector<std::vector<std::int64_t>> shards(7);
      for (std::int64_t row = 0; row < rows; ++row)
        shards[std::min<std::uint64_t>(6, std::countr_zero(random() | 64))].push_back(row);
      std::vector<Profile> profiles;
      for (auto& shard : shards) {
        std::shuffle(shard.begin(), shard.end(), random);
        profiles.push_back(profile_of(data::take(batch, shard)));
      }
      std::shuffle(profiles.begin(), profiles.end(), random);
      // Merged two and two, until one is left.
      while (profiles.size() > 1) {
        const std::size_t a = random() % (profiles.size() - 1);
        REQUIRE(profiles[a].merge(profiles[a + 1]).has_value());
        profiles.erase(profiles.begin() + static_cast<std::ptrdiff_t>(a) + 1);
      }
      CHECK(profiles[0].bytes() == whole);
      CHECK(to_json(profiles[0].summary()).dump() ==
            to_json(Profile::from_bytes(whole)->summary()).dump());
    }
  }
}

TEST_CASE("sorted either way and in small batches, rows give the same bytes") {
  std::mt19937_64 random(8);
  for (const Shape shape : kShapes) {
    std::vector<double> values;
    for (int i = 0; i < 9000; ++i) values.push_back(any_real(random, shape));
    const auto bytes_of = [&](std::size_t batch) {
      ColumnProfile profile(Type::float64);
      for (std::size_t at = 0; at < values.size(); at += batch) {
        ColumnBuilder builder(Type::float64);
        for (std::size_t i = at; i < std::min(values.size(), at + batch); ++i)
          builder.append_real(values[i]);
        profile.add(builder.finish());
      }
      std::string out;
      profile.append_bytes(out);
      return out;
    };
    const std::string drawn = bytes_of(9000);
    const auto before = [](double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; };
    std::sort(values.begin(), values.end(), before);
    CHECK(bytes_of(9000) == drawn);
    CHECK(bytes_of(1) == drawn);
    std::reverse(values.begin(), values.end());
    CHECK(bytes_of(333) == drawn);
  }
}

TEST_CASE("threads over columns change nothing") {
  std::mt19937_64 random(9);
  const data::Batch batch = table(6000, random, {50'000, 100});
  Profile threaded(batch.schema);
  WorkerPool pool(3);
  REQUIRE(threaded.add(batch, &pool).has_value());
  CHECK(threaded.bytes() == profile_of(batch).bytes());
}

TEST_CASE("what is read back goes on as what was written") {
  std::mt19937_64 random(10);
  for (const Shape shape : kShapes) {
    const data::Batch first = table(7000, random, shape), second = table(500, random, shape);
    Profile straight = profile_of(first);
    auto read = Profile::from_bytes(straight.bytes());
    REQUIRE(read.has_value());
    CHECK(read->schema() == straight.schema());
    CHECK(read->bytes() == straight.bytes());
    REQUIRE(straight.add(second).has_value());
    REQUIRE(read->add(second).has_value());
    CHECK(read->bytes() == straight.bytes());
  }
}

TEST_CASE("a million values of one size and sign are summed without loss") {
  // More than may be added between two settlements: 2^20 times the largest significand.
  const double value = std::nextafter(2.0, 0.0);
  ColumnProfile profile(Type::float64);
  ColumnBuilder different(Type::float64), same(Type::float64);
  for (int i = 0; i < 5000; ++i) different.append_real(1.0 + i * 0x1p-20);
  for (int i = 0; i < 1 << 20; ++i) same.append_real(value);
  profile.add(different.finish());
  profile.add(same.finish());
  // Σ over i < 5,000 of 1 + i·2^−20, and 2^20·(2 − 2^−52): the last term of both is above 2^−33.
  const double first = 5000 + 4999.0 * 5000 / 2 * 0x1p-20;
  CHECK(*profile.summary().sum == first + (0x1p21 - 0x1p-32));
}

TEST_CASE("cut or changed bytes are refused, never read past") {
  std::mt19937_64 random(11);
  for (const Shape shape : {kShapes[1], kShapes[5]}) {
    const std::string bytes = profile_of(table(6000, random, shape)).bytes();
    for (int i = 0; i < 200; ++i) {
      CHECK_FALSE(Profile::from_bytes(bytes.substr(0, random() % bytes.size())).has_value());
      std::string changed = bytes;
      changed[random() % changed.size()] ^= static_cast<char>(1 + random() % 255);
      CHECK_FALSE(Profile::from_bytes(changed).has_value());
    }
    // Behind the checksum too: whatever it says, reading ends, and what is taken is written back.
    std::string columns;
    const Profile profile = *Profile::from_bytes(bytes);
    for (std::size_t i = 0; i < profile.columns().size(); ++i) {
      std::string column;
      profile.columns()[i].append_bytes(column);
      for (int round = 0; round < 150; ++round) {
        std::string changed =
            column.substr(0, round % 3 == 0 ? random() % column.size() : column.size());
        for (std::uint64_t edits = random() % 4; edits > 0 && !changed.empty(); --edits)
          changed[random() %
                  std::min<std::size_t>(changed.size(), round % 2 == 0 ? 64 : changed.size())] =
              static_cast<char>(random());
        ColumnProfile read(profile.columns()[i].type());
        std::string_view rest = changed;
        if (!read.read_bytes(rest)) continue;
        (void)read.summary();
        std::string again;
        read.append_bytes(again);
        CHECK(again.size() >= 5);
      }
    }
  }
}

TEST_CASE("a profile in a file") {
  const stores::TemporaryFolder folder;
  const std::string path = folder / "flights.profile";
  std::mt19937_64 random(12);
  const Profile profile = profile_of(table(300, random, kShapes[1]));
  REQUIRE(write_profile(path, profile).has_value());
  const auto read = read_profile(path);
  REQUIRE(read.has_value());
  CHECK(read->bytes() == profile.bytes());
  CHECK(read->find("name") != nullptr);
  CHECK(read->find("nobody") == nullptr);
  CHECK(read_profile(folder / "none").error().code == Code::no_such_file);
  CHECK(write_profile(folder / "none/x", profile).error().code == Code::no_such_file);
  std::ofstream(path) << "name,count\n";
  const auto text = read_profile(path);
  CHECK(text.error().code == Code::bad_file);
  CHECK(text.error().context.at(0).find("flights.profile") != std::string::npos);
}

}  // namespace coeval::quality
