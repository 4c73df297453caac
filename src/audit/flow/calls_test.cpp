// Calls that receive a device, each in its own form.

#include <string>

#include <gtest/gtest.h>

#include "flow.hpp"

namespace weir::audit {
namespace {

using test_kit::Codes;
using test_kit::is_outside_mask;

TEST(AuditStrangeFlow, EveryFormOfADeviceArgumentIsRead) {
  for (const std::string& code :
       Codes{"torch.set_default_device('cuda:1')\n",
             "torch.set_default_device(torch.device('cuda', 1))\n",
             "torch.cuda.set_device(1)\n",
             "with torch.device('cuda:1'):\n    torch.zeros(1)\n",
             "with torch.cuda.device(1):\n    torch.zeros(1).cuda()\n",
             "torch.load('f', map_location='cuda:1')\n",
             "torch.load('f', 'cuda:1')\n",
             "torch.load('f', map_location=torch.device('cuda:1'))\n",
             "torch.load('f', map_location={'cuda:0': 'cuda:1'})\n",
             "torch.load('f', map_location=lambda storage, loc: storage.cuda(1))\n",
             "where = {'cuda:0': 'cuda:1'}\ntorch.load('f', map_location=where)\n",
             "from transformers import AutoModel\nAutoModel.from_pretrained('m', device_map={'': 1})\n",
             "from transformers import AutoModel\nAutoModel.from_pretrained('m', device_map={'': 'cuda:1'})\n",
             "from transformers import AutoModel\nAutoModel.from_pretrained('m', device_map={'a': 0, 'b': 1})\n",
             "torch.nn.DataParallel(x, device_ids=[0, 1])\n",
             "ids = (0, 1)\ntorch.nn.DataParallel(x, device_ids=ids)\n",
             "import pytorch_lightning as pl\npl.Trainer(gpus=[1])\n",
             "import lightning as L\nL.Trainer(accelerator='gpu', devices=[1])\n",
             "from transformers import pipeline\npipeline('t', device=1)\n",
             "import tensorflow as tf\nwith tf.device('/GPU:1'):\n    pass\n",
             "import cupy\ncupy.cuda.Device(1).use()\n",
             "import jax\njax.device_put(x, jax.devices()[1])\n",
             "torch.zeros(2, device=1)\n",
             "torch.Generator('cuda:1')\n",
             "torch.Generator(device='cuda:1')\n",
             "torch.cuda.Stream(device=1)\n",
             "torch.cuda.set_per_process_memory_fraction(0.5, 1)\n",
             "x.to(device='cuda:1')\n",
             "x.cuda(device=1)\n",
             "import spacy\nspacy.require_gpu(1)\n",
             "import faiss\nfaiss.index_cpu_to_gpu(r, 1, i)\n",
             "x.new_zeros(2, device='cuda:1')\n",
             "torch.Tensor(2).type('x').to('cuda:1')\n"})
    EXPECT_TRUE(is_outside_mask(code)) << code;
  for (const std::string& code :
       Codes{"torch.set_default_device('cuda:0')\n",
             "torch.load('f', map_location={'cuda:1': 'cuda:0'})\n",
             "torch.load('f', map_location={'cuda:1': 'cpu'})\n",
             "torch.load('f', map_location=lambda storage, loc: storage.cuda(0))\n",
             "torch.load('cuda:1')\n",
             "torch.load('f', map_location=lambda storage, loc: storage)\n",
             "from transformers import AutoModel\nAutoModel.from_pretrained('m', device_map={'': 0})\n",
             "from transformers import AutoModel\nAutoModel.from_pretrained('m', device_map='auto')\n",
             "torch.nn.DataParallel(x, device_ids=[0])\n",
             "import pytorch_lightning as pl\npl.Trainer(gpus=1)\n",
             "import pytorch_lightning as pl\npl.Trainer(devices=2)\n",
             "import pytorch_lightning as pl\npl.Trainer(accelerator='cpu', devices=[1])\n",
             "from transformers import pipeline\npipeline('t', device=-1)\n",
             "import jax\nprint(jax.devices()[0])\n",
             "import tensorflow as tf\nwith tf.device('/CPU:1'):\n    pass\n",
             "torch.cuda.set_per_process_memory_fraction(1)\n",
             "import faiss\nfaiss.index_cpu_to_gpu(r, 0, 1)\n",
             "torch.zeros(1, 1)\n",
             "shop.Order(gpus=[1])\n",
             "import serial\nserial.open(device=1)\n",
             "import sounddevice\nsounddevice.play(x, device=1)\n"})
    EXPECT_FALSE(is_outside_mask(code)) << code;
}

}  // namespace
}  // namespace weir::audit
