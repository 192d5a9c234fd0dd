#include "data/arrow_c.h"

#include <array>
#include <cstring>

#include "base/check.h"
#include "data/packed_list.h"

namespace coeval::data {

namespace {

// --- export ---

// What an exported schema or array keeps alive until its release. Children and the dictionary are
// owned here too, but release themselves first, as the specification asks: a consumer may have
// moved them away, and then they are marked released.
struct ExportedSchema {
  std::string format, name;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
  ArrowSchema dictionary{};
};
struct ExportedArray {
  Column column;
  std::vector<std::int32_t> offsets;  // of lists
  std::array<const void*, 3> buffers{};
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
  ArrowArray dictionary{};
};

template <class Struct, class Owner>
void release_exported(Struct* self) {
  auto* owner = static_cast<Owner*>(self->private_data);
  for (Struct& child : owner->children)
    if (child.release != nullptr) child.release(&child);
  if (owner->dictionary.release != nullptr) owner->dictionary.release(&owner->dictionary);
  self->release = nullptr;
  delete owner;
}

const char* format_of(Type type) {
  switch (type) {
    case Type::boolean:
      return "b";
    case Type::int32:
      return "i";
    case Type::int64:
      return "l";
    case Type::float32:
      return "f";
    case Type::float64:
      return "g";
    case Type::string:
      return "u";
    case Type::timestamp:
      return "tsu:UTC";
    case Type::date:
      return "tdD";
    case Type::duration:
      return "tDu";
    default:
      break;
  }
  COEVAL_CHECK(false);  // no column that is exported has this type
}

template <class Struct, class Owner>
void adopt_children(Struct& out, Owner& owner) {
  for (auto& child : owner.children) owner.pointers.push_back(&child);
  out.n_children = static_cast<std::int64_t>(owner.pointers.size());
  out.children = owner.pointers.empty() ? nullptr : owner.pointers.data();
  out.dictionary = owner.dictionary.release != nullptr ? &owner.dictionary : nullptr;
}

void finish_schema(ArrowSchema& out, std::unique_ptr<ExportedSchema> owner, bool nullable) {
  out = ArrowSchema{};
  out.format = owner->format.c_str();
  out.name = owner->name.c_str();
  out.flags = nullable ? ARROW_FLAG_NULLABLE : 0;
  adopt_children(out, *owner);
  out.release = release_exported<ArrowSchema, ExportedSchema>;
  out.private_data = owner.release();
}

void export_field(ArrowSchema& out, const Field& field, bool coded) {
  auto owner = std::make_unique<ExportedSchema>();
  owner->name = field.name;
  if (is_list(field.type)) {
    owner->format = "+l";
    export_field(owner->children.emplace_back(), {"element", element_of(field.type), false}, false);
    return finish_schema(out, std::move(owner), field.nullable);
  }
  owner->format = coded ? "i" : format_of(field.type);
  if (coded) export_field(owner->dictionary, Field{"", Type::string, false}, false);
  finish_schema(out, std::move(owner), field.nullable);
}

void finish_array(ArrowArray& out, std::unique_ptr<ExportedArray> owner, std::int64_t rows,
                  std::int64_t buffers) {
  out = ArrowArray{};
  out.length = rows;
  out.null_count = owner->buffers[0] == nullptr ? 0 : -1;
  out.n_buffers = buffers;
  out.buffers = owner->buffers.data();
  adopt_children(out, *owner);
  out.release = release_exported<ArrowArray, ExportedArray>;
  out.private_data = owner.release();
}

void export_column(ArrowArray& out, const Column& column) {
  auto owner = std::make_unique<ExportedArray>();
  owner->column = column;
  owner->buffers[0] = column.validity_data();
  if (is_list(column.type())) {
    ListParts parts = list_parts(column);
    owner->offsets = std::move(parts.offsets);
    owner->buffers[1] = owner->offsets.data();
    export_column(owner->children.emplace_back(), parts.elements);
    return finish_array(out, std::move(owner), column.size(), 2);
  }
  const bool plain_strings = column.type() == Type::string && !column.is_coded();
  if (plain_strings) {
    owner->buffers[1] = column.offsets_data();
    owner->buffers[2] = column.bytes_data();
  } else {
    owner->buffers[1] = column.values_data();
  }
  if (column.is_coded()) export_column(owner->dictionary, column.dictionary());
  finish_array(out, std::move(owner), column.size(), plain_strings ? 3 : 2);
}

// --- import ---

// A moved-in schema or array, released when the last who needs it goes.
template <class Struct>
struct Imported {
  explicit Imported(Struct* from) : held(*from) { from->release = nullptr; }
  Imported(const Imported&) = delete;
  Imported& operator=(const Imported&) = delete;
  ~Imported() {
    if (held.release != nullptr) held.release(&held);
  }
  Struct held;
};
using ImportedArray = std::shared_ptr<Imported<ArrowArray>>;

std::unexpected<Error> cannot_import(const std::string& what) {
  return fail(Code::unsupported, what, "cast it to one of the types that coeval knows before");
}

Result<Type> type_of(const ArrowSchema& schema) {
  const std::string_view format = schema.format;
  if (format.starts_with("tsu:")) return Type::timestamp;
  for (const Type type : {Type::boolean, Type::int32, Type::int64, Type::float32, Type::float64,
                          Type::string, Type::date})
    if (format == format_of(type)) return type;
  if (format == "U") return Type::string;
  return cannot_import("column '" + std::string(schema.name) + "' has Arrow format '" +
                       std::string(format) + "', which is not read");
}

// A column's place in its array: rows start at `offset` and there are `rows`.
struct Slice {
  std::int64_t offset = 0, rows = 0;
};

template <class T>
const T* buffer(const ArrowArray& array, std::size_t index) {
  return static_cast<const T*>(array.buffers[index]);
}

std::vector<std::uint8_t> copy_bits(const std::uint8_t* bits, Slice slice) {
  std::vector<std::uint8_t> out(static_cast<std::size_t>(slice.rows + 7) / 8);
  for (std::int64_t row = 0; row < slice.rows; ++row) {
    const std::int64_t at = slice.offset + row;
    const unsigned bit = bits[at >> 3] >> (at & 7) & 1u;
    auto& byte = out[static_cast<std::size_t>(row >> 3)];
    byte = static_cast<std::uint8_t>(byte | bit << (row & 7));
  }
  return out;
}

// Null when the array has no nulls.
const std::uint8_t* validity_of(const ArrowArray& array) {
  return array.null_count == 0 ? nullptr : buffer<std::uint8_t>(array, 0);
}

std::vector<std::uint8_t> copy_validity(const ArrowArray& array, Slice slice) {
  const std::uint8_t* bits = validity_of(array);
  return bits == nullptr ? std::vector<std::uint8_t>{} : copy_bits(bits, slice);
}

// A buffer for `Column::borrowed`, which must never be null.
template <class T>
const T* present(const T* bytes) {
  static constexpr std::array<T, 1> kEmpty{};
  return bytes != nullptr ? bytes : kEmpty.data();
}

template <class Offset>
Result<Column> copy_strings(const ArrowArray& array, Slice slice, const std::string& name) {
  std::vector<std::int32_t> offsets = {0};
  if (slice.rows == 0) return Column::strings(std::move(offsets), {}, {});
  const auto* from = buffer<Offset>(array, 1) + slice.offset;
  const auto size = static_cast<std::uint64_t>(from[slice.rows] - from[0]);
  if (size >= 1ull << 31)
    return cannot_import("column '" + name +
                         "' holds 2 GiB of text or more, bytes: " + std::to_string(size));
  offsets.reserve(static_cast<std::size_t>(slice.rows) + 1);
  for (std::int64_t row = 1; row <= slice.rows; ++row)
    offsets.push_back(static_cast<std::int32_t>(from[row] - from[0]));
  std::string bytes(present(buffer<char>(array, 2)) + (size == 0 ? 0 : from[0]), size);
  return Column::strings(std::move(offsets), std::move(bytes), copy_validity(array, slice));
}

Result<Column> import_strings(const ArrowArray& array, Slice slice, bool large,
                              const std::string& name, const ImportedArray& owner) {
  if (large) return copy_strings<std::int64_t>(array, slice, name);
  if (slice.offset != 0 || slice.rows == 0) return copy_strings<std::int32_t>(array, slice, name);
  return Column::borrowed(Type::string, slice.rows, validity_of(array), nullptr,
                          buffer<std::int32_t>(array, 1), present(buffer<char>(array, 2)), nullptr,
                          owner);
}

Status check_codes(const Column& codes, std::int64_t entries, const std::string& name) {
  for (std::int64_t row = 0; row < codes.size(); ++row)
    if (!codes.is_null(row) && (codes.code(row) < 0 || codes.code(row) >= entries))
      return fail(Code::bad_file, "column '" + name +
                                      "' has a code outside its dictionary at row " +
                                      std::to_string(row) + ": " + std::to_string(codes.code(row)));
  return {};
}

Result<Column> import_coded(const ArrowSchema& schema, const ArrowArray& array, Slice slice,
                            const ImportedArray& owner) {
  const std::string column = schema.name;
  const std::string_view values = schema.dictionary->format;
  if (std::string_view(schema.format) != "i" || values != "u")
    return cannot_import("column '" + column + "' is a dictionary of Arrow formats '" +
                         std::string(schema.format) + "' and '" + std::string(values) +
                         "', only int32 codes of utf8 are read");
  const ArrowArray& entries = *array.dictionary;
  COEVAL_ASSIGN(Column dictionary,
                import_strings(entries, {entries.offset, entries.length}, false, column, owner));
  if (dictionary.has_nulls())
    return cannot_import("column '" + column + "' has a null inside its dictionary");
  const std::int64_t size = dictionary.size();
  auto shared = std::make_shared<const Column>(std::move(dictionary));
  Column out;
  if (slice.offset == 0) {
    out =
        Column::borrowed(Type::string, slice.rows, validity_of(array),
                         present(buffer<std::int32_t>(array, 1)), nullptr, nullptr, shared, owner);
  } else {
    const auto* from = buffer<std::int32_t>(array, 1) + slice.offset;
    out = Column::coded({from, from + slice.rows}, shared, copy_validity(array, slice));
  }
  COEVAL_TRY(check_codes(out, size, column));
  return out;
}

Column import_fixed(Type type, const ArrowArray& array, Slice slice, const ImportedArray& owner) {
  const auto* values = present(buffer<std::byte>(array, 1));
  if (slice.offset == 0)
    return Column::borrowed(type, slice.rows, validity_of(array), values, nullptr, nullptr, nullptr,
                            owner);
  const auto* from = values + static_cast<std::size_t>(slice.offset) * width(type);
  return Column::fixed(type, {from, from + static_cast<std::size_t>(slice.rows) * width(type)},
                       copy_validity(array, slice), slice.rows);
}

Column import_boolean(const ArrowArray& array, Slice slice, const ImportedArray& owner) {
  const auto* bits = present(buffer<std::uint8_t>(array, 1));
  if (slice.offset == 0)
    return Column::borrowed(Type::boolean, slice.rows, validity_of(array), bits, nullptr, nullptr,
                            nullptr, owner);
  return Column::boolean(copy_bits(bits, slice), copy_validity(array, slice), slice.rows);
}

Result<Column> import_column(const ArrowSchema& schema, const ArrowArray& array, Slice slice,
                             const ImportedArray& owner) {
  slice.offset += array.offset;
  if (schema.dictionary != nullptr) return import_coded(schema, array, slice, owner);
  COEVAL_ASSIGN(const Type type, type_of(schema));
  if (type == Type::string)
    return import_strings(array, slice, schema.format[0] == 'U', schema.name, owner);
  if (type == Type::boolean) return import_boolean(array, slice, owner);
  return import_fixed(type, array, slice, owner);
}

}  // namespace

void export_batch(const Batch& batch, ArrowSchema* schema, ArrowArray* array) {
  COEVAL_CHECK(batch.columns.size() == batch.schema.fields.size());
  auto schema_owner = std::make_unique<ExportedSchema>();
  auto array_owner = std::make_unique<ExportedArray>();
  schema_owner->format = "+s";
  schema_owner->children.resize(batch.columns.size());
  array_owner->children.resize(batch.columns.size());
  for (std::size_t i = 0; i < batch.columns.size(); ++i) {
    export_field(schema_owner->children[i], batch.schema.fields[i], batch.columns[i].is_coded());
    export_column(array_owner->children[i], batch.columns[i]);
  }
  finish_schema(*schema, std::move(schema_owner), false);
  finish_array(*array, std::move(array_owner), batch.rows, 1);
}

Result<Batch> import_batch(ArrowSchema* schema, ArrowArray* array) {
  const Imported<ArrowSchema> types(schema);
  const auto owner = std::make_shared<Imported<ArrowArray>>(array);
  const ArrowSchema& root = types.held;
  const ArrowArray& rows = owner->held;
  if (std::string_view(root.format) != "+s")
    return cannot_import("expected an Arrow struct, found format '" + std::string(root.format) +
                         "'");
  if (rows.null_count != 0 && rows.n_buffers > 0 && rows.buffers[0] != nullptr)
    return cannot_import("an Arrow struct whose rows may be null as a whole");
  Batch batch;
  batch.rows = rows.length;
  for (std::int64_t i = 0; i < root.n_children; ++i) {
    const ArrowSchema& field = *root.children[i];
    COEVAL_ASSIGN(Column column,
                  import_column(field, *rows.children[i], {rows.offset, rows.length}, owner));
    batch.schema.fields.push_back(
        {field.name, column.type(), (field.flags & ARROW_FLAG_NULLABLE) != 0});
    batch.columns.push_back(std::move(column));
  }
  return batch;
}

}  // namespace coeval::data
