import numpy as np
import torch

from glasscortex.decoder.evaluate import predict


def test_a_speed_is_predicted_in_its_unit_and_on_its_sessions_scale(decoder, batches, world):
    trials = world[0]
    head = decoder.heads["running_speed"]
    with torch.no_grad():
        head.weight.zero_(), head.bias.fill_(2.0)
    predicted = predict(decoder, batches, np.ones(len(trials), bool))["running_speed"]["value"]
    for session in ("a", "b"):
        own = (trials["session_id"] == session) & trials["running_speed"].notna()
        learnt = trials.loc[own & (trials["split"] == "train"), "running_speed"].to_numpy(float)
        expected = learnt.mean() + 2 * learnt.std()
        np.testing.assert_allclose(predicted[own.to_numpy()], expected, rtol=1e-5)


def test_the_confidence_is_the_probability_of_the_class_that_is_named(decoder, batches, batch):
    decoder.own.gain.fill_(3.0)
    decoder.own.hidden[batch.session, decoder.own.columns["direction"]][:2] = True
    with torch.no_grad():
        probability, place = decoder(batch)["direction"].softmax(1).max(1)
    made = predict(decoder, batches, np.ones(len(batches.trials), bool))["direction"][batch.trials]
    np.testing.assert_allclose(made["confidence"], probability, rtol=1e-5)
    np.testing.assert_array_equal(made["value"], 45.0 * place)
