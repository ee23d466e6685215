"""Train the starter model from nothing to its two files, or go on where a training was stopped."""

import argparse

from starter import export, latents, text, train_unet, train_vae


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vae-steps", type=int, default=VAE_STEPS)
    parser.add_argument("--unet-steps", type=int, default=UNET_STEPS)
    parser.add_argument("--second-vae-steps", type=int, default=SECOND_VAE_STEPS)
    asked = parser.parse_args()
    text.quiet()
    train_vae.train("vae-starter", seed=1, minutes=0, steps=asked.vae_steps)
    latents.encode(range(latents.SHARDS))
    train_unet.train(minutes=0, steps=asked.unet_steps)
    train_vae.train("vae-starter-b", seed=2, minutes=0, steps=asked.second_vae_steps)
    export.export_checkpoint(export.CHECKPOINT)
    export.export_second_vae(export.SECOND_VAE)


# what the shipped model was given
VAE_STEPS = 3328
UNET_STEPS = 3763
SECOND_VAE_STEPS = 2001


if __name__ == "__main__":
    main()
