#include "kernels/common/matrix_kernel.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::linalg {
namespace {

Extent extent_of(const Layout& l) { return l.kind == Kind::vector ? Extent{l.length(), 1} : Extent{l.rows(), l.columns()}; }

}  // namespace

void require_origins(std::string_view kernel, std::initializer_list<Placed> operands) {
  for (const Placed& o : operands)
    if (o.origin.z != 0)
      throw ValueError(cat(kernel, ": ", o.origin_name, " has a third number, ", o.origin.z,
                           "; allowed: (row, column). Choose matrices of a batch with batch_start and batch_size."));
}

Batch batch_of(std::string_view kernel, std::int64_t batch_start, const std::optional<std::int64_t>& batch_size, std::initializer_list<Placed> operands) {
  const Placed& first = *operands.begin();
  const std::int64_t matrices = first.layout->batch();
  for (const Placed& o : operands)
    if (o.layout && o.layout->batch() != matrices)
      throw ValueError(cat(kernel, ": ", first.name, " has ", matrices, " matrices, ", o.name, " ", o.layout->batch(),
                           "; allowed: the same number, nothing is broadcast. Repeat the smaller batch with numpy.repeat(), or call once a matrix."));
  if (batch_start > matrices || (batch_size && *batch_size > matrices - batch_start))
    throw ValueError(cat(kernel, ": batch_start is ", batch_start, ", batch_size is ", batch_size ? std::to_string(*batch_size) : std::string("None"),
                         "; allowed: matrices 0 to ", matrices, " of these operands. Pass a smaller batch."));
  return {batch_start, batch_size.value_or(matrices - batch_start)};
}

Extent from_origin(std::string_view kernel, const Placed& o) {
  const Extent whole = extent_of(*o.layout);
  const bool is_vector = o.layout->kind == Kind::vector;
  if (o.origin.x > whole.rows || o.origin.y > (is_vector ? 0 : whole.columns))
    throw ValueError(cat(kernel, ": ", o.origin_name, " is (", o.origin.x, ", ", o.origin.y, ") and ", o.name, " is ", o.layout->describe(),
                         "; allowed: an origin inside it. The order is ", is_vector ? "(element, 0)." : "(row, column)."));
  return {whole.rows - o.origin.x, whole.columns - o.origin.y};
}

void require_extent(std::string_view kernel, const Placed& o, const Extent& wanted, bool is_window, std::string_view fields) {
  const Extent held = from_origin(kernel, o);
  if (held == wanted || (is_window && held.rows >= wanted.rows && held.columns >= wanted.columns)) return;
  const bool is_vector = o.layout->kind == Kind::vector;
  const auto text = [&](const Extent& e) { return is_vector ? cat("(", e.rows, ",)") : cat("(", e.rows, ", ", e.columns, ")"); };
  throw ValueError(cat(kernel, ": ", o.name, " is ", text(held), o.origin == Origin{} ? std::string() : cat(" from ", o.origin_name), "; allowed: ", text(wanted),
                       is_window ? " or more" : "", ". ", is_window ? cat("Pass a smaller ", fields, ", or a larger ", o.name, ".")
                                                                    : cat("Pass ", fields, " to work on a part of larger operands.")));
}

void require_hints(std::string_view kernel, const OutputHints& hints, DType only) {
  if (hints.channels)
    throw ValueError(cat(kernel, ": channels is ", *hints.channels, "; allowed: none, a matrix has no channels. Leave it out."));
  if (hints.dtype.value_or(only) != only)
    throw TypeError(cat(kernel, ": dtype is ", name_of(*hints.dtype), "; allowed: ", name_of(only), ". Convert the result with astype()."));
}

bool is_partial(const Layout& out, const Origin& origin, const Extent& written, const Batch& batch) {
  return origin != Origin{} || extent_of(out) != written || batch.first != 0 || batch.count != out.batch();
}

}  // namespace mpskit::linalg
