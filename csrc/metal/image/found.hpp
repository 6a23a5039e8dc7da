#pragma once
#include "metal/kernel.hpp"

namespace mpskit::metal {

// Memory for what MPS finds, before it goes where it belongs. `parameter` is the field that tells how much there may be.
inline id<MTLBuffer> found_buffer(Encoder& e, std::string_view kernel, NSUInteger bytes, std::string_view what, std::string_view parameter) {
  auto made = adopt([e.context().device() newBufferWithLength:bytes options:MTLResourceStorageModePrivate | MTLResourceHazardTrackingModeTracked]);
  if (!made) throw DeviceError(cat(kernel, ": ", e.context().info().name, " made no buffer for ", bytes, " bytes of ", what, ". Pass a smaller ", parameter, ", or device=\"cpu\"."));
  return e.keep(std::move(made));
}

}  // namespace mpskit::metal
