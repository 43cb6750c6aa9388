"""breast_cancer in PyTorch, as one writes it: python torch_table.py data/breast_cancer.csv."""

import sys

import pandas as pd
import torch
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
table = pd.read_csv(sys.argv[1])
x = table.drop(columns="diagnosis").to_numpy("float32")
y = (table["diagnosis"] == "malignant").to_numpy("float32")[:, None]
x_train, x_val, y_train, y_val = train_test_split(x, y, test_size=0.2, stratify=y, random_state=0)
scaler = StandardScaler().fit(x_train)
train = TensorDataset(torch.from_numpy(scaler.transform(x_train)), torch.from_numpy(y_train))
val = TensorDataset(torch.from_numpy(scaler.transform(x_val)), torch.from_numpy(y_val))
batches = DataLoader(train, batch_size=32, shuffle=True)
net = nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
adam = torch.optim.Adam(net.parameters())
criterion = nn.BCEWithLogitsLoss()
for epoch in range(20):
    net.train()
    for rows, truth in batches:
        adam.zero_grad()
        criterion(net(rows), truth).backward()
        adam.step()
    net.eval()
    with torch.no_grad():
        for part, (rows, truth) in (("train", train.tensors), ("val", val.tensors)):
            score = net(rows)
            correct = ((score > 0) == (truth > 0.5)).float().mean()
            print(epoch + 1, part, "loss", criterion(score, truth).item(), "accuracy", correct.item())
print("val f1", f1_score(truth, score > 0), "roc_auc", roc_auc_score(truth, score))
