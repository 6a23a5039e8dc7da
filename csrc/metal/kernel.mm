#include "metal/kernel.hpp"

namespace mpskit::metal {
namespace {

std::optional<std::string> refuses_layout(const Context& context, const Layout& l) {
  if (l.kind == Kind::image && std::max({l.width(), l.height(), (l.channels() + 3) / 4 * 8}) > Context::largest_side)
    return cat("an image is ", l.describe(), "; allowed: ", Context::largest_side, " pixels a side and ", Context::most_layers * 4,
               " channels, as in any Metal texture. Cut it into tiles, or pass device=\"cpu\".");
  if (l.dtype == DType::f64)
    return cat("an operand is ", l.describe(), "; allowed: float32 or float16, as Metal has no float64. Convert it with astype(), or pass device=\"cpu\".");
  if (static_cast<std::uint64_t>(l.span_bytes()) > context.info().max_buffer_bytes)
    return cat("an operand is ", l.describe(), ", ", l.span_bytes(), " bytes; allowed: ", context.info().max_buffer_bytes,
               " bytes in a Metal buffer. Pass smaller batches, or device=\"cpu\".");
  return std::nullopt;
}

}  // namespace

std::optional<std::string> refuses(const Context& context, const Call& call) {
  const Registration* r = registration_of(call.kernel);
  if (!r) return std::string("no Metal kernel; allowed there: device=\"cpu\". Pass device=\"cpu\".");
  for (const auto& layouts : {call.inputs, call.outputs})
    for (const Layout& l : layouts)
      if (auto reason = refuses_layout(context, l)) return reason;
  return guard([&] { return r->refuses(call.kernel, call, context); });
}

std::shared_ptr<Plan> make_plan(const Context& context, const Call& call) {
  const Registration* r = registration_of(call.kernel);
  if (!r) throw UnsupportedError(cat(call.kernel.type().info.name, ": no Metal kernel; allowed there: device=\"cpu\"."));
  return guard([&]() -> std::shared_ptr<Plan> { return share(r->make(call.kernel, call, context)); });
}

}  // namespace mpskit::metal
