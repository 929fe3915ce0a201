"""The two papers whose ideas this dataset puts together, in BibTeX."""

CITATION = """@inproceedings{han2025atom,
  title     = {{AToM}: Aligning Text-to-Motion Model at Event-Level with {GPT-4Vision} Reward},
  author    = {Han, Haonan and Wu, Xiangzuo and Liao, Huan and Xu, Zunnan and Hu, Zhongyuan and Li, Ronghui and
               Zhang, Yachao and Li, Xiu},
  booktitle = {Proceedings of the Computer Vision and Pattern Recognition Conference (CVPR)},
  pages     = {22746--22755},
  year      = {2025}
}

@inproceedings{sheng2024exploring,
  title     = {Exploring Text-to-Motion Generation with Human Preference},
  author    = {Sheng, Jenny and Lin, Matthieu and Zhao, Andrew and Pruvost, Kevin and Wen, Yu-Hui and Li, Yangguang and
               Huang, Gao and Liu, Yong-Jin},
  booktitle = {Proceedings of the IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR) Workshops},
  pages     = {1888--1899},
  year      = {2024}
}"""
