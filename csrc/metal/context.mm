#include "metal/context.hpp"

#include <array>
#include <string_view>

#include "metal/shader_source.hpp"

namespace mpskit::metal {
namespace {

struct Family {
  NSInteger number;
  const char* name;
};
// By number where the SDK is older than the family.
constexpr std::array families{Family{1001, "apple1"}, Family{1002, "apple2"}, Family{1003, "apple3"}, Family{1004, "apple4"},
                              Family{1005, "apple5"}, Family{1006, "apple6"}, Family{1007, "apple7"}, Family{1008, "apple8"},
                              Family{1009, "apple9"}, Family{2001, "mac1"},   Family{2002, "mac2"},   Family{3001, "common1"},
                              Family{3002, "common2"}, Family{3003, "common3"}, Family{5001, "metal3"}};

std::string text_of(NSError* error) {
  return error ? to_std([error localizedDescription]) : std::string("no reason given");
}

}  // namespace

Context::Context(retained<id<MTLDevice>> device) : device_(std::move(device)) {
  id<MTLDevice> d = device_.get();
  info_.name = to_std([d name]);
  info_.memory_bytes = [d recommendedMaxWorkingSetSize];
  info_.max_buffer_bytes = [d maxBufferLength];
  info_.has_unified_memory = [d hasUnifiedMemory];
  info_.is_low_power = [d isLowPower];
  for (const Family& f : families)
    if ([d supportsFamily:static_cast<MTLGPUFamily>(f.number)]) info_.features.emplace_back(f.name);
  has_linear_textures_ = info_.has_unified_memory && [d supportsFamily:MTLGPUFamilyApple1];
}

BufferView Context::view(Storage& storage) const {
  auto make = [&]() -> std::shared_ptr<void> {
    const std::uintptr_t page = pool::page_bytes(), data = reinterpret_cast<std::uintptr_t>(storage.data());
    const std::uintptr_t begin = data / page * page, end = (data + storage.size() + page - 1) / page * page;
    if (end - begin > info_.max_buffer_bytes)
      throw DeviceError(cat(info_.name, ": ", end - begin, " bytes lie in one array; allowed: ", info_.max_buffer_bytes,
                            " bytes in a Metal buffer. Make smaller arrays, or pass device=\"cpu\"."));
    auto view = std::make_unique<BufferView>();
    const std::shared_ptr<void> keeper = storage.keeper();  // the block owns it: gone with the buffer, whether it ran or not
    view->buffer = adopt([device_.get() newBufferWithBytesNoCopy:reinterpret_cast<void*>(begin)
                                                          length:end - begin
                                                         options:MTLResourceStorageModeShared
                                                     deallocator:^(void*, NSUInteger) {
                                                       (void)keeper;
                                                     }]);
    if (!view->buffer)
      throw DeviceError(cat(info_.name, ": no Metal buffer over ", end - begin, " bytes; its memory may be exhausted. Free arrays, or "
                            "pass device=\"cpu\"."));
    view->lead = data - begin;
    return share(std::move(view));
  };
  return *static_cast<const BufferView*>(storage.view(this, make).get());
}

retained<id<MTLComputePipelineState>> Context::pipeline(const char* function) const {
  std::lock_guard lock(mutex_);
  if (const auto found = pipelines_.find(std::string_view(function)); found != pipelines_.end()) return found->second;
  NSError* error = nil;
  if (!library_) {
    auto options = adopt([[MTLCompileOptions alloc] init]);
    options.get().fastMathEnabled = NO;  // NaN and infinity keep their meaning
    options.get().languageVersion = MTLLanguageVersion2_4;
    library_ = adopt([device_.get() newLibraryWithSource:to_ns(shader_source) options:options.get() error:&error]);
    if (!library_) throw DeviceError(cat(info_.name, ": the shaders do not compile: ", text_of(error)));
  }
  auto entry = adopt([library_.get() newFunctionWithName:to_ns(function)]);
  if (!entry) throw DeviceError(cat(info_.name, ": no shader is called ", function));
  auto pipeline = adopt([device_.get() newComputePipelineStateWithFunction:entry.get() error:&error]);
  if (!pipeline) throw DeviceError(cat(info_.name, ": ", function, ": ", text_of(error)));
  return pipelines_.emplace(function, std::move(pipeline)).first->second;
}

MTLPixelFormat pixel_format(DType t, std::int64_t channels) {
  static constexpr MTLPixelFormat formats[4][3]{
      {MTLPixelFormatR8Unorm, MTLPixelFormatRG8Unorm, MTLPixelFormatRGBA8Unorm},
      {MTLPixelFormatR16Unorm, MTLPixelFormatRG16Unorm, MTLPixelFormatRGBA16Unorm},
      {MTLPixelFormatR16Float, MTLPixelFormatRG16Float, MTLPixelFormatRGBA16Float},
      {MTLPixelFormatR32Float, MTLPixelFormatRG32Float, MTLPixelFormatRGBA32Float}};
  return formats[static_cast<std::size_t>(t)][channels == 1 ? 0 : channels == 2 ? 1 : 2];
}

MPSDataType data_type(DType t) {
  switch (t) {
    case DType::u8: return MPSDataTypeUInt8;
    case DType::u16: return MPSDataTypeUInt16;
    case DType::f16: return MPSDataTypeFloat16;
    case DType::f32: return MPSDataTypeFloat32;
    case DType::i8: return MPSDataTypeInt8;
    case DType::i16: return MPSDataTypeInt16;
    case DType::i32: return MPSDataTypeInt32;
    case DType::u32: return MPSDataTypeUInt32;
    case DType::f64: return MPSDataTypeInvalid;
  }
  return MPSDataTypeInvalid;
}

// ---- what engine.cpp asks for
std::vector<std::shared_ptr<Context>> find_devices() {
  return guard([] {
    std::vector<std::shared_ptr<Context>> found;
    auto add = [&](id<MTLDevice> device) {
      for (const auto& context : found)
        if ([context->device() registryID] == [device registryID]) return;
      if (MPSSupportsMTLDevice(device)) found.push_back(std::make_shared<Context>(hold(device)));
    };
    // The default first. It may be nil in a process without a user interface while there are devices all the same.
    auto standard = adopt(MTLCreateSystemDefaultDevice());
    if (standard) add(standard.get());
    auto all = adopt(MTLCopyAllDevices());
    for (id<MTLDevice> device in all.get()) add(device);
    return found;
  });
}

const DeviceInfo& info_of(const Context& context) { return context.info(); }

void* buffer_handle(const Context& context, Storage& storage) {
  return guard([&] { return static_cast<void*>(context.view(storage).buffer.get()); });
}

}  // namespace mpskit::metal
