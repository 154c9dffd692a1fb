import { Button, Flex, Heading, hubspot, Link, Text } from '@hubspot/ui-extensions';
import { PUBLIC_URL } from './config';

/** Where an admin of the HubSpot account continues: channels and switches live on our own pages. */
export function Settings() {
  return (
    <Flex direction="column" gap="medium">
      <Heading>Redeliver</Heading>
      <Text>
        Connect your Octopods channels, choose what is written to the contact's timeline, and see what fails most. You
        sign in with this HubSpot account.
      </Text>
      <Button href={{ url: `${PUBLIC_URL}/settings`, external: true }} variant="primary" testId="open-settings">
        Open the settings
      </Button>
      <Heading>On the contact record</Heading>
      <Text>
        A Super Admin adds the card once: open a contact, choose Customize, pick a column, add a card, and take "Failed
        messages" from the card library.
      </Text>
      <Link href={{ url: `${PUBLIC_URL}/reasons`, external: true }}>All reasons a message can fail</Link>
    </Flex>
  );
}

hubspot.extend<'settings'>(() => <Settings />);
