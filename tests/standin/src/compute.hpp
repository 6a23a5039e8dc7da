// Libraries, functions and pipelines.
#pragma once
#include <string>

#include "shader.hpp"
#include "standin.hpp"

namespace standin {

// Where the source says that a parameter comes from.
struct Place {
  enum Kind { buffer, texture, in_grid, in_threadgroup, threadgroup, per_grid, per_threadgroup, threadgroups } kind;
  NSUInteger index = 0;  // of a buffer or texture
};
struct Entry {
  std::string name;
  std::vector<Place> places;
  const Shader* shader;
};
// The kernels that a source declares. The text of what is wrong, empty for nothing.
std::string parse(const std::string& source, std::vector<Entry>& kernels);

}  // namespace standin

// A library, one of its functions, or a pipeline of it: all know a device and a label.
@interface StandinCompiled : NSObject {
 @public
  id<MTLDevice> _device;
  NSString* _label;
  std::vector<standin::Entry> _entries;
}
- (instancetype)initWithDevice:(id<MTLDevice>)device entries:(std::vector<standin::Entry>)entries;
@property(readonly, nonatomic) id<MTLDevice> device;
@property(nonatomic, copy) NSString* label;
@end
@interface StandinLibrary : StandinCompiled <MTLLibrary>
@end
@interface StandinFunction : StandinCompiled <MTLFunction>
@end
@interface StandinPipeline : StandinCompiled <MTLComputePipelineState>
@end
