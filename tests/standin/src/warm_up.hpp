#pragma once
namespace standin {
void warm_up();  // makes Foundation's per-class singletons while the leak checker looks away
}
